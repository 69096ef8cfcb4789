package deliveries_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/notify/smtpmail/smtptest"
)

// faults draws how a server fails, and counts how often it does.
type faults struct {
	drops, refusals, pauses atomic.Int64

	mu     sync.Mutex
	random *rand.Rand
}

func (f *faults) draw() (chance float64, wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.random.Float64(), time.Duration(f.random.Int64N(int64(200 * time.Millisecond)))
}

// answer refuses for good what is to be refused, and besides that drops, refuses for now, and answers late.
func (f *faults) answer(ctx context.Context, step smtptest.Step, address string) error {
	chance, wait := f.draw()
	switch {
	case step == smtptest.Content && strings.HasPrefix(address, string(spam)): // or a drop would leave it taken
		return smtptest.Refusal(554, "5.7.1", "no spam")
	case chance < 0.03:
		f.drops.Add(1)
		return smtptest.ErrDrop
	case chance < 0.05:
		f.refusals.Add(1)
		return smtptest.Refusal(451, "4.3.0", "come back later")
	case chance < 0.06:
		f.refusals.Add(1)
		return smtptest.Refusal(421, "4.3.2", "going down")
	case chance < 0.08:
		f.pauses.Add(1)
		pause(ctx, wait)
	case chance < 0.085:
		f.pauses.Add(1)
		pause(ctx, 1500*time.Millisecond) // longer than a mailer waits
	}
	if step == smtptest.Receiver && strings.HasPrefix(address, string(gone)) {
		return smtptest.Refusal(550, "5.1.1", "nobody is here")
	}
	return nil
}

func pause(ctx context.Context, wait time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
}

// readDeliveries reads what a server has taken.
func readDeliveries(t *testing.T, taken []smtptest.Delivery) []delivery {
	t.Helper()
	var deliveries []delivery
	for _, d := range taken {
		message, err := netmail.ReadMessage(bytes.NewReader(d.Message))
		require.NoError(t, err)
		require.True(t, d.Encrypted)
		_, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
		require.NoError(t, err)
		text, err := multipart.NewReader(message.Body, parameters["boundary"]).NextRawPart()
		require.NoError(t, err)
		decoded, err := io.ReadAll(quotedprintable.NewReader(text))
		require.NoError(t, err)
		ref, found := strings.CutPrefix(strings.TrimSpace(string(decoded)), "Reference: ")
		require.True(t, found)
		deliveries = append(deliveries, delivery{message.Header.Get("Message-Id"), d.To, ref})
	}
	return deliveries
}
