package invite_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/invite"
	"github.com/rosterkit/roster/notify/notifytest"
	"github.com/stretchr/testify/require"
)

// Tokens are in the mail, or in the result that is meant to carry them, and nowhere else; addresses are in the rows
// and in the result, and not in events, errors and logs.
func TestSecretsAreNowhereElse(t *testing.T) {
	for name, config := range map[string]invite.Config{"by mail": {}, "by the host": {Delivery: invite.ByHost}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, config)
			var seen strings.Builder // everything that a verb returned
			tokens := map[string]bool{}
			saw := func(values ...any) {
				for _, v := range values {
					text, _ := json.Marshal(v)
					fmt.Fprintf(&seen, "%v\n%+v\n%#v\n%s\n", v, v, v, text)
					var refused *access.Error
					if err, ok := v.(error); ok && errors.As(err, &refused) {
						fmt.Fprintf(&seen, "%+v\n%#v\n%v\n", *refused, *refused, refused.Params)
					}
				}
			}
			sent := func(s invite.Sent, err error) string {
				require.NoError(t, err)
				saw(s)
				if s.Token.IsZero() {
					w.worker(forgetful{&notifytest.Recorder{}, &notifytest.Failing{Times: 1, Mailer: w.Mail}})
					w.Deliver() // refused once
					w.Clock.Advance(time.Hour)
					token := w.Token(access.UserID(strings.Split(s.Invite.Address.Canonical(), "@")[0]))
					tokens[token] = true
					return token
				}
				tokens[s.Token.Secret()] = true
				w.Clock.Advance(time.Hour)
				return s.Token.Secret()
			}
			first := sent(w.Invites.Send(ctx, access.As(ann), acme, offer(bob, access.PayInvoices)))
			again := sent(w.Invites.Send(ctx, access.As(ann), acme, offer(bob, access.PayInvoices)))
			toEve := sent(w.Invites.Send(ctx, access.As(ann), acme, offer(eve, access.PayInvoices)))
			many, err := w.Invites.SendMany(ctx, access.As(ann), acme, []invite.Offer{offer("zoe", access.PayInvoices), offer("zoe", 0), offer(ann, access.All)})
			saw(many, err)
			sent(many[0].Sent, many[0].Err)
			for _, token := range []string{first, again, toEve, toEve + "A", strings.ToLower(toEve)} {
				for _, who := range []invite.Identity{{}, verified(eve), unverified(eve), impostor("rob", bob), verified("rob")} {
					p, err := w.Invites.Lookup(ctx, token, who)
					p.Address = access.Address{}
					saw(p, err)
					if token != toEve {
						a, err := w.Invites.Accept(ctx, token, who)
						saw(a, err, only(w.Invites.Decline(ctx, token, who)))
					}
				}
			}
			saw(w.Invites.AskAgain(ctx, links, first), w.Invites.AskAgain(ctx, links, toEve+"A"))
			a, err := w.Invites.Accept(ctx, again, verified(bob))
			saw(a, err)
			saw(only(w.Invites.Decline(ctx, toEve, verified(eve))))
			pending, err := w.Invites.Pending(ctx, access.As(ann), acme, invite.Filter{}, access.Page{})
			saw(pending, err)
			waiting, err := w.Invites.Waiting(ctx, verified("zoe"), access.Page{})
			saw(waiting, err)
			w.Clock.Advance(100 * time.Hour)
			_, err = w.Invites.Accept(ctx, again, verified(eve))
			saw(err)
			w.Deliver()
			messages, err := w.Members.Messages(ctx, access.As(ann), acme, access.MessageFilter{}, access.Page{})
			saw(messages, err)
			require.GreaterOrEqual(t, len(tokens), 4)

			stored := w.dump()
			for token := range tokens {
				for place, text := range map[string]string{"storage": stored, "results": seen.String(), "the log": w.log.String()} {
					require.NotContains(t, text, token, place)
					require.NotContains(t, text, token[24:], place)
				}
			}
			full := regexp.MustCompile(`[a-z]{2,}@example\.com`)
			require.Empty(t, full.FindAllString(w.log.String(), -1), "addresses in the log")
			events, err := json.Marshal(w.events(acme))
			require.NoError(t, err)
			require.Empty(t, full.FindAllString(string(events), -1), "addresses in events")
			for line := range strings.Lines(stored) {
				if strings.HasPrefix(line, "event") || strings.HasPrefix(line, "change") {
					require.Empty(t, full.FindAllString(line, -1))
				}
			}
			require.NotEmpty(t, full.FindAllString(stored, -1), "the search finds what is there")
		})
	}
}
