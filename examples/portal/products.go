package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/rosterkit/roster/access"
)

// The kinds of things that this demo host sells and keeps for an account.
const (
	kindService    = "service"
	kindOrder      = "order"
	kindDomain     = "domain"
	kindInvoice    = "invoice"
	kindQuote      = "quote"
	kindTicket     = "ticket"
	kindWithdrawal = "withdrawal"
)

// A product is one of those things.
type product struct {
	ID, Name, State, Detail string
}

// products is the table of what accounts have. A real host has its billing system instead.
type products struct{ db runner }

// A runner runs statements: a database, or a transaction in it.
type runner interface {
	exec(ctx context.Context, statement string, args ...any) (rows int64, err error)
	query(ctx context.Context, statement string, args ...any) (*sql.Rows, error)
	queryRow(ctx context.Context, statement string, args ...any) *sql.Row
}

// list returns an account's things of a kind, the newest first.
func (p products) list(ctx context.Context, account access.AccountID, kind string) ([]product, error) {
	rows, err := p.db.query(ctx, `
		SELECT id, name, state, detail FROM portal_products WHERE account = ? AND kind = ? ORDER BY id DESC`, string(account), kind)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []product
	for rows.Next() {
		var one product
		if err := rows.Scan(&one.ID, &one.Name, &one.State, &one.Detail); err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, rows.Err()
}

// find returns one thing of an account, or errNotFound.
func (p products) find(ctx context.Context, account access.AccountID, kind, id string) (product, error) {
	if !utf8.ValidString(id) || strings.Contains(id, "\x00") { // A path may hold anything. PostgreSQL wouldn't even look for this.
		return product{}, errNotFound
	}
	var one product
	row := p.db.queryRow(ctx, `
		SELECT id, name, state, detail FROM portal_products WHERE account = ? AND kind = ? AND id = ?`, string(account), kind, id)
	err := row.Scan(&one.ID, &one.Name, &one.State, &one.Detail)
	if errors.Is(err, sql.ErrNoRows) {
		return product{}, errNotFound
	}
	return one, err
}

// change sets the state of a thing of an account, or returns errNotFound.
func (p products) change(ctx context.Context, account access.AccountID, kind, id, state, detail string) error {
	rows, err := p.db.exec(ctx, `UPDATE portal_products SET state = ?, detail = ? WHERE account = ? AND kind = ? AND id = ?`,
		state, detail, string(account), kind, id)
	if err == nil && rows == 0 {
		return errNotFound
	}
	return err
}

// numberAttempts is how many may be faster when a number is given out.
const numberAttempts = 100

// numbered gives out a number in a transaction, and again if somebody else was faster.
func numbered(transaction func() error) error {
	for range numberAttempts {
		if err := transaction(); !isDuplicate(err) {
			return err
		}
	}
	return errors.New("too many things are added to an account at once")
}

// add stores a new thing under the next number of its kind in the account.
func (p products) add(ctx context.Context, account access.AccountID, kind string, one product) error {
	return numbered(func() error { return p.insert(ctx, account, kind, one) })
}

// insert is add where nobody else is faster: otherwise it fails, and so does the transaction that it is in.
func (p products) insert(ctx context.Context, account access.AccountID, kind string, one product) error {
	var count int
	row := p.db.queryRow(ctx, `SELECT COUNT(*) FROM portal_products WHERE account = ? AND kind = ?`, string(account), kind)
	if err := row.Scan(&count); err != nil {
		return err
	}
	id := fmt.Sprintf("%s%04d", numberPrefix[kind], 1001+count)
	_, err := p.db.exec(ctx, `INSERT INTO portal_products (account, kind, id, name, state, detail) VALUES (?, ?, ?, ?, ?, ?)`,
		string(account), kind, id, one.Name, one.State, one.Detail)
	return err
}

var numberPrefix = map[string]string{
	kindService: "S-", kindOrder: "O-", kindDomain: "D-", kindInvoice: "I-", kindQuote: "Q-", kindTicket: "T-", kindWithdrawal: "W-",
}

// stock gives a demo account something of every kind.
func (p products) stock(ctx context.Context, account access.AccountID, domain string) error {
	things := []struct {
		kind string
		product
	}{
		{kindService, product{Name: "Web hosting Business", State: "active", Detail: domain}},
		{kindService, product{Name: "Managed WordPress", State: "active", Detail: "shop." + domain}},
		{kindDomain, product{Name: domain, State: "active", Detail: "ns1.harbour.example"}},
		{kindDomain, product{Name: "www-" + domain, State: "expires soon", Detail: "ns1.harbour.example"}},
		{kindInvoice, product{Name: "Web hosting Business, yearly", State: "paid", Detail: "€ 228.00"}},
		{kindInvoice, product{Name: "Managed WordPress, monthly", State: "paid", Detail: "€ 29.00"}},
		{kindInvoice, product{Name: "Domain renewals", State: "due", Detail: "€ 31.80"}},
		{kindQuote, product{Name: "Dedicated database server", State: "open", Detail: "€ 89.00 a month"}},
		{kindTicket, product{Name: "Certificate for the shop", State: "answered", Detail: "opened by our support"}},
	}
	for _, thing := range things {
		if err := p.add(ctx, account, thing.kind, thing.product); err != nil {
			return fmt.Errorf("stocking an account: %w", err)
		}
	}
	return nil
}
