package access_test

import (
	"context"

	"github.com/rosterkit/roster/storage"
)

// A mutant is what a process does otherwise than this package. Nil is as this package.
type mutant struct {
	poll   func(ctx context.Context, i *instance) error
	store  func(*simulatedStore) storage.DB
	check  func(i *instance, r *right) (bool, error)
	settle func(ctx context.Context, i *instance) error
}
