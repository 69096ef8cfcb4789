package sqlstore

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/notify"
)

// A call is a statement with arguments as verbs send them to the database of populate.
type call struct {
	statement string // its name
	about     string // what is asked, where a statement is called more than once
	// rows is how many rows and entries of indexes may be read: those that have to be, of a page or of a whole account
	// where a prefix is searched in it or its rows are counted. PostgreSQL, which expects accounts to be small, reads a
	// whole account for a list of ids too.
	rows int
	args []any // a list of texts is for "(?...)", rows are for VALUES, whens for CASEs
}

// whens are rows with values for CASEs.
type whens struct {
	ids      []string
	values   [][]any
	attempts []any // of messages that may be leased to somebody else by now
}

// toLock is what a row is read for that stays locked.
const toLock = "to lock it"

// page is what services ask for, who read one more to know whether there are more.
const page = 51

// calls calls every statement.
func calls() []call {
	never := int64(-62135596800000000)
	ids := func(kind string, first, n int) []string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("%s %d", kind, 1000000+first+i))
		}
		return list
	}
	mails := func(first, n int) []string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("%d@example.com", 1000000+first+i))
		}
		return list
	}
	bytes := func(n int) []byte { return []byte(strings.Repeat("x", n)) }
	digest := func(i int) []byte { return fmt.Appendf(nil, "twenty-five letters of a %d", 1000000+i) }
	profile := slices.Repeat([]any{""}, 17)
	account := append([]any{"user 1000001", 1}, append(profile, 0, "[]")...)
	message := func(i int, group string, place ...any) []any {
		return append([]any{fmt.Sprintf("new message %d", i), "invite", group, "invite", 1, "", 0, 1, 0, 0, never, 0, "", "", "", 0, never}, place...)
	}
	event := func(i int) []any {
		return []any{someAccount, 101, i, "id", 0, "kind", []byte("{}"), nil, nil, bytes(32), nil, nil, bytes(32), "", "", "user", "", bytes(32), 1, 1_000_000 + i}
	}
	many := func(row func(int) []any) []any {
		var rows []any
		for i := range maxRows {
			rows = append(rows, row(i)...)
		}
		return rows
	}
	finishing := func(n int, values ...any) whens {
		w := whens{ids: ids("message", 200_000, n), attempts: slices.Repeat([]any{0}, n)}
		for _, value := range values {
			w.values = append(w.values, slices.Repeat([]any{value}, n))
		}
		return w
	}
	const maxWoken = notify.MaxWoken
	const oldKey, newInvite, newest = "invite 1000004", "new invite", math.MaxInt64
	eventsAfter := func(account, concerns string, version int, kinds ...string) []any {
		return []any{account, version, version, 0, len(kinds), append(kinds, "")[:max(1, len(kinds))], 0, newest,
			concerns, concerns, concerns, "user", concerns, page}
	}
	members := func(account, after string) []any { return []any{account, account, after, page} }
	membersWith := func(account, prefix string) []any {
		return []any{account, account, "", 1, account, 1, 1, newest, prefix, prefix, prefix, prefix, prefix, prefix, page}
	}
	accounts := func(user, after string) []any { return []any{after, user, after, page} }
	accountsWith := func(user, prefix string) []any {
		return []any{"", user, "", 1, 1, 1, prefix, prefix, prefix, prefix, page}
	}
	contacts := func(account, after, prefix string) []any {
		return []any{account, after, 0, 0, int64(math.MaxInt64), prefix, prefix, prefix, prefix, prefix, page}
	}
	return []call{
		{"selectSnapshot", "", 1, nil},

		{"selectAccount", "", 1, []any{someAccount}},
		{"selectAccount", toLock, 1, []any{someAccount}},
		{"insertAccount", "", 0, slices.Concat([]any{"new account", "user 1000001", "", 1}, profile, []any{0, "[]", 0, bytes(32)})},
		{"insertAccount", "which is there", 1, slices.Concat([]any{someAccount, "user 1000001", "", 1}, profile, []any{0, "[]", 0, bytes(32)})},
		{"updateAccount", "", 1, append(account, someAccount)},
		{"sealAccount", "", 1, []any{101, 11, bytes(32), someAccount}},

		{"selectGrant", "", 2, []any{someUser, someUser, bigAccount}},
		{"selectGrant", "of a stranger", 2, []any{someUser, someUser, someAccount}},
		{"selectGranted", "", 2 * page, []any{"", "", "", "", page}},
		{"selectGranted", "in the middle", 2 * page, []any{someAccount, someAccount, someAccount, someUser, page}},
		{"selectGrants", "", 2, []any{someUser, someUser, ids("account", 10, 1)}},
		{"selectGrants", "of a long list", 2 * maxList, []any{someUser, someUser, ids("account", 10, maxList)}},
		{"selectMembership", "", 1, []any{bigAccount, someUser}},
		{"putMembership", "", 1, []any{someAccount, "new user", 1, 1, never, never, "", 0, 0}},
		{"putMembership", "that is there", 1, []any{bigAccount, someUser, 1, 1, never, never, "", 0, 0}},
		{"deleteMembership", "", 1, []any{bigAccount, someUser}},
		{"touchMembership", "", 1, []any{500_000, bigAccount, someUser, 400_000}},
		{"selectMembers", "the first of the big account", 3 * page, members(bigAccount, "")},
		{"selectMembers", "after some of the big account", 3 * page, members(bigAccount, someUser)},
		{"selectMembers", "of an account", 3 * (membersEach + 1), members(someAccount, "")},
		{"selectMembers", allConditions, 3 * (bigMembers + membersEach + 1), membersWith(bigAccount, "name 1029")},
		{"selectUserAccounts", "the first of the busy user", 2 * page, accounts(busyUser, "")},
		{"selectUserAccounts", "after some of the busy user", 2 * page, accounts(busyUser, someAccount)},
		{"selectUserAccounts", "of a user", 2 * 3, accounts(someUser, "")},
		{"selectUserAccounts", allConditions, 2 * manyAccounts, accountsWith(busyUser, "name 1009")},
		{"countSeats", "of an account", 1 + membersEach + 2 + 2, []any{someAccount, never, populatedNow, someAccount, populatedNow}},
		{"countSeats", "of the big account", 1 + bigMembers + membersEach + 1 + bigPending + 2,
			[]any{bigAccount, never, populatedNow, bigAccount, populatedNow}},

		{"selectUser", "", 1, []any{someUser}},
		{"selectUsers", "", 1, []any{ids("user", 25_000, 1)}},
		{"selectUsers", "of a page", page, []any{ids("user", 25_000, page)}},
		{"selectUsers", "of a long list", maxList, []any{ids("user", 25_000, maxList)}},
		{"putUser", "", 1, []any{"new user", "a@example.com", "a@example.com", 1, "", "", 0, 0, "de"}},
		{"putUser", "who is there", 1, []any{someUser, "a@example.com", "a@example.com", 1, "", "", 0, 0, "de"}},
		{"putUser", "many", 2 * maxRows, many(func(i int) []any {
			return []any{fmt.Sprintf("user %d", 1034990+i), "a@example.com", "a@example.com", 1, "", "", 0, 0, "de"}
		})},
		{"putSignIn", "", 1, []any{"new user", 0}},
		{"putSignIn", "of a user who is there", 1, []any{someUser, 500_000}},

		{"findInvite", "", 1, []any{oldKey}},
		{"selectInvite", "", 1, []any{"account 1000002", oldKey}},
		{"selectPendingInvite", "", 1, []any{"account 1000002", "1000004@example.com"}},
		{"insertInvite", "", 1, []any{newInvite, someAccount, "a@example.com", "a@example.com", 0, 1, never, never, "", 1, "user 1000001",
			1, 0, 1, 1, 0, 0, never, "", bytes(16), "key 2"}},
		{"insertInvite", "which is there", 1, []any{newInvite, "account 1000002", "1000004@example.com", "1000004@example.com", 0, 1, never, never, "", 1,
			"user 1000001", 1, 0, 1, 1, 0, 0, never, "", bytes(16), "key 2"}},
		{"updateInvite", "", 1, []any{1, never, never, "", 1, "user 1000001", 2, 0, 1, 1, 0, 0, never, "", bytes(16), "key 2", "account 1000002", oldKey, 1}},
		{"selectInvites", "the first of the big account", page, []any{bigAccount, lastText, 0, 0, "", "", "", page}},
		{"selectInvites", "after some of the big account", page, []any{bigAccount, "invite 1022500", 0, 0, "", "", "", page}},
		{"selectInvites", "of an account", 2, []any{someAccount, lastText, 0, 0, "", "", "", page}},
		{"selectInvites", "with a prefix", bigInvites + 2, []any{bigAccount, lastText, 0, 0, "11049", "11049", "11049", page}},
		{"selectWaitingInvites", "the first of one whom many wait for", page, []any{popularMail, lastText, populatedNow, page}},
		{"selectWaitingInvites", "after some of one whom many wait for", page, []any{popularMail, "invite 1030500", populatedNow, page}},
		{"selectWaitingInvites", "of somebody", 1, []any{"1000004@example.com", lastText, populatedNow, page}},
		{"selectNextKey", "the first", 1, []any{""}},
		{"selectNextKey", "the one behind", 1, []any{"key 1"}},
		{"selectNextKey", "none", 1, []any{"key 2"}},
		{"selectKeyUse", "", 1, []any{"key 2"}},
		{"countLiveInvites", "", 2, []any{someAccount, populatedNow}},
		{"countLiveInvites", "of the big account", bigPending + 2, []any{bigAccount, populatedNow}},
		{"selectRevocable", "", bigPending + 2, []any{bigAccount, 1, "user 1000001", 2}},
		{"revokeInvite", "", 1, []any{3, 0, "account 1000002", oldKey}},

		{"findContact", "", 1, []any{"contact 1010000"}},
		{"selectContact", "", 1, []any{someAccount, "contact 1010000"}},
		{"selectContactByAddress", "", 1, []any{someAccount, "1010000@example.com"}},
		{"selectOtherContact", "", 1, []any{someAccount, "1010000@example.com", "contact 1010001"}},
		{"putContact", "", 1, slices.Concat([]any{"new contact", someAccount, "", "", "a@example.com", "a@example.com"}, profile[:8],
			[]any{0, 0, 0, never, 0, 0, "de", ""})},
		{"putContact", "who is there", 1, slices.Concat([]any{"contact 1010000", someAccount, "", "", "a@example.com", "a@example.com"}, profile[:8],
			[]any{0, 0, 0, never, 0, 0, "de", ""})},
		{"deleteContact", "", 1, []any{someAccount, "contact 1010000"}},
		{"selectVerification", "", 1, []any{someAccount, "contact 1010000"}},
		{"putVerification", "", 0, []any{someAccount, "new contact", 1, bytes(16), 0, 0, never}},
		{"putVerification", "where one is", 1, []any{someAccount, "contact 1010000", 2, bytes(16), 0, 0, never}},
		{"deleteVerification", "", 1, []any{someAccount, "contact 1010000"}},
		{"selectUnsubscribed", "", 1, []any{someAccount, "1005000@example.com"}},
		{"putUnsubscribed", "", 0, []any{someAccount, "new@example.com", 1}},
		{"putUnsubscribed", "where some are", 1, []any{someAccount, "1005000@example.com", 1}},
		{"deleteUnsubscribed", "", 1, []any{someAccount, "1005000@example.com"}},
		{"selectContacts", "the first of the big account", page, contacts(bigAccount, "", "")},
		{"selectContacts", "after some of the big account", page, contacts(bigAccount, "contact 1022500", "")},
		{"selectContacts", "of an account", 2, contacts(someAccount, "", "")},
		{"selectContacts", "with a prefix", bigContacts + 2, contacts(bigAccount, "", "name 1004")},

		// Half of the contacts want the category.
		{"selectReceivers", "the first of the big account", 2 * page, []any{bigAccount, "", 1, 1, page}},
		{"selectReceivers", "after some of the big account", 2 * page, []any{bigAccount, "contact 1022500", 1, 1, page}},
		{"selectReceivers", "many of the big account", 2 * 2000, []any{bigAccount, "", 1, 1, 2000}},
		{"selectReceivers", "of an account", 2, []any{someAccount, "", 1, 1, page}},

		{"insertNotice", "", 0, []any{someAccount, "new", "invoice", 1, "", "[]", []byte("{}"), "[]", 0}},
		{"insertNotice", "which is there", 1, []any{"account 1000100", "notice 1000100", "invoice", 1, "", "[]", []byte("{}"), "[]", 0}},
		{"selectNotice", "", 1, []any{"account 1000100", "notice 1000100"}},

		{"insertFeedback", "", 0, []any{someMail, "new", 1, 0, "", "", ""}},
		{"insertFeedback", "which is there", 1, []any{"1000100@example.com", "feedback 1000100", 1, 0, "", "", ""}},
		{"selectFeedback", "", 2 * feedbackEach, []any{"1000100@example.com", newest, newest, lastText, 0, 0, page}},
		{"selectFeedback", "of a kind", 2 * feedbackEach, []any{"1000100@example.com", newest, newest, lastText, 4, 4, 1}},
		{"putSuppression", "", 1, []any{"new@example.com", 1, 0}},
		{"putSuppression", "which is there", 1, []any{"1000100@example.com", 1, 0}},
		{"deleteSuppression", "", 1, []any{"1000100@example.com"}},
		{"selectSuppressions", "the first", page, []any{"", page}},
		{"selectSuppressions", "after some", page, []any{"1020000@example.com", page}},
		{"selectSuppressed", "", 1, []any{mails(100, 1)}},
		{"selectSuppressed", "of a long list", maxList, []any{mails(100, maxList)}},

		{"selectPreference", "", 1, []any{bigAccount, "user 1020001"}},
		{"putPreference", "", 1, []any{someAccount, "user 1000001", 1}},
		{"putPreference", "which is there", 1, []any{bigAccount, "user 1020001", 1}},
		{"deletePreferences", "", 1, []any{bigAccount, ids("user", 20_001, 1)}},
		{"deletePreferences", "of a long list", bigPreferences + membersEach, []any{bigAccount, ids("user", 20_001, maxList)}},
		// One in four of those who have preferences want the category.
		{"selectSubscribers", "of an account", 4 * (membersEach + 1), []any{"account 1001000", "", 1, 1, page}},
		{"selectSubscribers", "after some of the big account", 4 * 2 * page, []any{bigAccount, "user 1022500", 1, 1, page}},
		{"selectMembersByAddress", "", 3, []any{someMail, bigAccount, page}},
		{"selectMembersByAddress", "that several have", 3 * 3, []any{sharedMail, bigAccount, page}},

		{"insertMessage", "", 0, message(0, someAccount, 1)},
		{"insertMessage", "many", 6 * maxRows, many(func(i int) []any { return message(i, someAccount, 1) })}, // each with an entry in five indexes
		{"insertInLine", "", 2, message(0, someAccount, someAccount, 1)},
		{"insertInLine", "those of one with many mails", 2, message(0, waitingAccount, waitingAccount, 1)},
		{"insertInLine", "many", 2 + 6*maxRows, many(func(i int) []any { return message(i, waitingAccount, waitingAccount, 1+i) })},
		{"selectFirstTurn", "", 1, nil},
		{"selectTurns", "", 2, []any{someAccount}},
		{"selectTurns", "of one with many mails", 2, []any{waitingAccount}},
		{"selectMessage", "", 1, []any{someAccount, "message 1010000"}},
		{"selectMessages", allConditions, bigMessages + 2, []any{bigAccount, lastText, 2, 2, 2, 2, 2, []string{"added"}, 9_000, 9_001, page}},
		{"selectMessages", "the first of the big account", page, []any{bigAccount, lastText, page}},
		{"selectMessages", "after some of the big account", page, []any{bigAccount, "message 1025000", page}},
		{"selectMessages", "of an account", 4, []any{someAccount, lastText, page}},
		{"selectDeliveries", "", 2, []any{someAccount, "invite", ids("invite", 10_000, 1)}},
		{"selectDeliveries", "of a page", bigMessages / 2, []any{bigAccount, "invite", ids("invite", 22_500, page)}},
		{"selectWoken", "", maxWoken, []any{populatedNow, maxWoken}},
		{"selectWoken", "none", 1, []any{-1, maxWoken}},
		{"wakeMessages", "", 1, []any{whens{ids: ids("message", 80, 1), values: [][]any{{1}}}}},
		{"wakeMessages", "many", 5 * maxList, []any{whens{ids: ids("message", 80, maxList), values: [][]any{slices.Repeat([]any{1}, maxList)}}}},
		{"selectDue", "", page, []any{populatedNow, populatedNow, page}},
		{"leaseMessages", "", 1, []any{0, ids("message", 40, 1)}},
		{"leaseMessages", "many", 6 * maxList, []any{0, ids("message", 200_000, maxList)}},
		{"selectLeased", "", 1, []any{ids("message", 40, 1)}},
		{"selectLeased", toLock, 2 * maxList, []any{ids("message", 200_000, maxList)}},
		{"putBackMessages", "", 1, []any{never, finishing(1)}},
		{"putBackMessages", "many", 6 * maxList, []any{never, finishing(maxList)}},
		{"delayMessages", "", 1, []any{never, finishing(1, 0, "busy")}},
		{"delayMessages", "many", 6 * maxList, []any{never, finishing(maxList, 0, "busy")}},
		{"sendMessages", "", 1, []any{never, finishing(1, 0, "a@example.com", "Subject", "Text")}},
		{"sendMessages", "many", 6 * maxList, []any{never, finishing(maxList, 0, "a@example.com", "Subject", "Text")}},
		{"endMessages", "", 1, []any{never, finishing(1, 4, 0, "refused")}},
		{"endMessages", "many", 6 * maxList, []any{never, finishing(maxList, 4, 0, "refused")}},
		{"selectBacklog", "", manyQueued + 2*manyAccounts/20, nil},
		{"selectCreated", "", 1, []any{"message 1000040"}},
		{"selectDead", "the newest", page, []any{lastText, page}},
		{"selectDead", "after some", page, []any{"message 1010001", page}},
		{"retryMessages", "", 1, []any{0, 0, never, ids("message", 41, 1)}},
		{"dropMessages", "", 1, []any{0, ids("message", 41, 1)}},
		{"dropMessages", "many", maxList, []any{0, ids("message", 41, maxList)}},

		{"selectEventsBefore", "the newest of the big account", page, eventsAfter(bigAccount, "", newest)},
		{"selectEventsBefore", "before some of the big account", page, eventsAfter(bigAccount, "", bigEvents/2)},
		{"selectEventsBefore", "of an account", eventsEach, eventsAfter(someAccount, "", newest)},
		{"selectEventsBefore", "of one of two kinds", 2 * page, eventsAfter(bigAccount, "", newest, "member.added")},
		{"selectEventsBefore", "of kinds", 2 * page, eventsAfter(bigAccount, "", newest, "member.added", "member.removed", "invite.revoked")},
		{"selectEventsBefore", "that concern a user", bigEvents + eventsEach, eventsAfter(bigAccount, "user 1000100", newest)},
		{"selectEventsAfter", "after some of the big account", page, eventsAfter(bigAccount, "", bigEvents/2)},
		{"selectEventsAfter", "of an account", eventsEach, eventsAfter(someAccount, "", 0)},
		{"insertEvent", "", 0, event(0)},
		{"insertEvent", "many", 3 * maxRows, many(event)},
		{"raiseFeed", "", 1, []any{1, "tail", 1}},
		{"raiseFeedByID", "", 1, []any{1, "tail", 1}},
		{"selectFeed", "", access.Shards, nil},
		{"selectChanges", "after some", page, []any{1, 500, page}},
		{"selectChanges", "the last", 1, []any{1, 1_000_000, page}},

		{"selectPosition", "", access.Shards + 2, []any{someFollower}},
		{"selectPosition", "of a stranger", access.Shards + 2, []any{"nobody"}},
		{"selectFollowers", "", manyFollowers, nil},
		{"insertFollower", "", 1, []any{"new follower"}},
		{"insertFollower", "which is there", 2, []any{someFollower}},
		{"acknowledgeTicket", "", 1, []any{5000, 5000, someFollower, 5000}},
		{"deleteFollowers", "", 1, []any{5000, ids("follower", 2_500, 1)}},
		{"deleteFollowers", "of a long list", maxList, []any{5000, ids("follower", 2_500, maxList)}},
		{"drawTicket", "", 1, nil},
		{"drawTicketAndNotify", "", 1, []any{"channel"}},
		{"drawTicketOnly", "", 1, nil},
		{"selectTicket", "", 1, nil},
		{"setLease", "", 1, []any{2000, 2000, 2000, 2000}},
		{"shortenWait", "", 1, []any{1}},

		{"lockLimit", "", 1, []any{bytes(32), populatedNow}},
		{"lockLimit", "that is there", 1, []any{digest(500), populatedNow}},
		{"dropUses", "", usesEach, []any{digest(50), populatedNow, 900_003}},
		{"countUse", "", 1, []any{digest(500), 950_000, populatedNow}},
		{"countUse", "at the same time", 1, []any{digest(500), 900_001, populatedNow}},
		{"sumUses", "", usesEach, []any{digest(500), 900_000, 950_000}},
		{"selectPassedLimits", "", maxForgotten, []any{populatedNow, digest(50), maxForgotten}},
		{"selectPassedLimits", "none", 1, []any{999_000, digest(50), maxForgotten}},
		{"deleteLimit", "", 1, []any{digest(50), populatedNow}},
		{"deleteUses", "", usesEach, []any{digest(50)}},
	}
}

// allConditions is about a list that is narrowed in all ways.
const allConditions = "with all conditions"

// conditions are what narrows a list, in the order of the arguments.
var conditions = map[string][]string{
	"selectMessages":     {messagesInStates, messagesOfKinds, messagesSince, messagesUntil},
	"selectMembers":      {membersOfStatus, membersOfPermission, membersNotSeenSince, membersOfPrefix},
	"selectUserAccounts": {accountsOfStatus, accountsOfPermission, accountsOfPrefix},
}

// name says which call it is.
func (c call) name() string { return strings.TrimSpace(c.statement + " " + c.about) }

// sent returns the statement and the arguments as a DB sends them.
func (c call) sent(db *DB, shared bool) (string, []any) {
	statement := statements[c.statement]
	if c.about == allConditions {
		statement = strings.Replace(statement, andMark, strings.Join(conditions[c.statement], ""), 1)
	}
	var args []any
	for _, arg := range c.args {
		if w, ok := arg.(whens); ok {
			var values []any
			if db.engine.arrays && w.attempts != nil {
				statement, values = givenValues(statement, w.ids, append(w.values, w.attempts)...)
				statement += fmt.Sprintf(ifAttempt, givenName(len(w.values)+1))
			} else {
				statement, values = valued(db.engine, statement, w.ids, w.values...)
			}
			args = append(args, values...)
			continue
		}
		if list, ok := arg.([]string); ok {
			var values []any
			statement, values = in(statement, list)
			args = append(args, values...)
			continue
		}
		args = append(args, arg)
	}
	if places := strings.Count(statement, "?"); len(args) > places { // an INSERT of many rows
		if db.engine.arrays && c.statement != "insertEvent" {
			statement, args = givenRows(statement, slices.Collect(slices.Chunk(args, places)))
		} else {
			statement = withRows(statement, len(args)/places)
		}
	}
	switch {
	case c.about == toLock:
		statement += db.engine.forUpdate
	case c.statement == "selectDue", c.statement == "selectWoken", c.statement == "selectPassedLimits":
		statement += db.engine.skipLocked
	}
	return db.text(statement, shared), plain(args)
}

// callsOf are the calls that are made on an engine.
func callsOf(e engine) []call {
	return slices.DeleteFunc(calls(), func(c call) bool {
		switch c.statement {
		case "selectSnapshot":
			return !slices.ContainsFunc(e.beginView, func(statement string) bool { return strings.Contains(statement, selectSnapshot) })
		case "insertInLine":
			return !e.arrays
		case "selectLeased":
			return e.arrays
		case "raiseFeed", "drawTicket":
			return !e.returning
		case "drawTicketAndNotify":
			return !e.notifies
		case "raiseFeedByID", "drawTicketOnly", "selectTicket":
			return e.returning
		}
		return false
	})
}
