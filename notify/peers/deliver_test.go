package peers_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rosterkit/roster/notify"
	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

// TestDeliver shows that each implementation delivers every mail once, and knows that it has.
func TestDeliver(t *testing.T) {
	const mails = 1_050
	for _, impl := range implementations() {
		t.Run(impl.name, func(t *testing.T) {
			box := impl.open(t, servertest.Fresh(t, impl.engine))
			var mutex sync.Mutex
			got, want := make(map[notify.MessageID]int), make(map[notify.MessageID]int)
			m := newMailer(mails)
			m.taken = func(id notify.MessageID) {
				mutex.Lock()
				defer mutex.Unlock()
				got[id]++
			}
			for _, orders := range newOrders(mails, 100) {
				require.NoError(t, box.enqueue(t.Context(), orders))
				for _, order := range orders {
					want[notify.MessageID(order.ID)]++
				}
			}
			left, err := box.left(t.Context())
			require.NoError(t, err)
			require.Equal(t, mails, left)
			require.NoError(t, box.deliver(t.Context(), m))
			require.Equal(t, want, got)
			left, err = box.left(t.Context())
			require.NoError(t, err)
			require.Zero(t, left)
		})
	}
}
