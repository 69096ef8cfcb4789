package notify_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing/fstest"
	"time"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
)

// A host's own mail beside this library's: a kind of message, and the preparer that writes it.
type welcome struct{ templates *notify.Templates }

func (welcome) Kinds() []notify.Kind { return []notify.Kind{"host.welcome"} }

func (w welcome) Prepare(ctx context.Context, messages []notify.Message) []notify.Prepared {
	prepared := make([]notify.Prepared, len(messages))
	for i, m := range messages {
		if m.To == "user-9" { // who has left since
			prepared[i].Cancel = "the user has left"
			continue
		}
		mail, err := w.templates.Render(m.Kind, notify.English, notify.Brand{}, map[string]string{"Name": "Ann"})
		mail.To = "ann@example.com"
		prepared[i] = notify.Prepared{Mail: mail, Err: err}
	}
	return prepared
}

func ExampleWorker() {
	ctx := context.Background()
	db := memory.New()
	templates, err := notify.ParseTemplates([]notify.Sample{{
		Kind: "host.welcome", Data: func(locale string) any { return map[string]string{"Name": "Somebody"} },
	}}, exampleFiles)
	if err != nil {
		panic(err)
	}
	mailbox := notify.NewMailbox(100)
	worker, err := notify.NewWorker(db, mailbox, notify.WorkerConfig{Log: slog.New(slog.DiscardHandler)}, welcome{templates})
	if err != nil {
		panic(err)
	}

	// In the transaction that causes the mails:
	err = db.Update(ctx, func(ctx context.Context, tx storage.Tx) error {
		now := time.Now()
		return tx.Enqueue(ctx,
			notify.Message{ID: "01900000-0000-7000-8000-000000000001", Kind: "host.welcome", Group: "acme", To: "user-1", Created: now, Due: now},
			notify.Message{ID: "01900000-0000-7000-8000-000000000002", Kind: "host.welcome", Group: "acme", To: "user-9", Created: now, Due: now},
		)
	})
	if err != nil {
		panic(err)
	}

	// A server runs worker.Run(ctx) beside it. A test makes one pass:
	settled, err := worker.Deliver(ctx)
	fmt.Println(settled, err)
	for _, mail := range mailbox.Mails() {
		fmt.Printf("To %s: %s\n", mail.To, mail.Subject)
	}
	// Output:
	// 2 <nil>
	// To ann@example.com: Welcome, Ann
}

var exampleFiles = fstest.MapFS{
	"en/host.welcome.txt":  {Data: []byte("Subject: Welcome, {{.Name}}\nHello {{.Name}},\n\nit is good to have you here.\n")},
	"en/host.welcome.html": {Data: []byte("<h1>Welcome, {{.Name}}</h1>\n<p>It is good to have you here.</p>\n")},
}
