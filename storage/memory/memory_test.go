package memory_test

import (
	"testing"

	"github.com/rosterkit/roster/storage"
	"github.com/rosterkit/roster/storage/memory"
	"github.com/rosterkit/roster/storage/storagetest"
)

// TestContract runs the suite that every backend passes.
func TestContract(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.DB { return memory.New() })
}
