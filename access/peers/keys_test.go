package peers_test

import (
	"math/bits"

	"github.com/rosterkit/roster/access"
)

// keyOf returns the key of one permission, which Casbin and Cedar are asked about.
func keyOf(p access.Permission) string { return keys[bits.TrailingZeros64(uint64(p))] }

// keys are those of the catalog's permissions, by their bits.
var keys = func() (keys [64]string) {
	for _, d := range access.Portal().Definitions() {
		keys[bits.TrailingZeros64(uint64(d.Permission))] = d.Key
	}
	return keys
}()

// keysOf returns the keys of a set of permissions.
func keysOf(p access.Permission) (list []string) {
	for i, key := range keys {
		if p>>i&1 == 1 {
			list = append(list, key)
		}
	}
	return list
}
