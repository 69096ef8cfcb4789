package peers_test

import (
	"os"
	"testing"

	"github.com/rosterkit/roster/storage/storagetest/servertest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	servertest.Stop()
	os.Exit(code)
}
