package notify

import "errors"

// ErrFenced says that another attempt at a message has begun, or that the message is no longer queued: what came of
// this attempt isn't recorded.
var ErrFenced = errors.New("notify: another attempt has begun")
