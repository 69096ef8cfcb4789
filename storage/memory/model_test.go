package memory_test

import (
	"testing"

	"github.com/rosterkit/roster/storage/memory"
	"github.com/rosterkit/roster/storage/storagetest"
)

// TestModel compares the services with a naive model of their rules.
func TestModel(t *testing.T) { storagetest.Model(t, memory.New()) }
