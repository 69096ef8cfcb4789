package access

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"time"
)

// A Record is an event as it is stored: the public part as the exact bytes that are hashed, and the two personal
// parts as commitments that outlive them.
type Record struct {
	ID      EventID
	Account AccountID
	Version uint64
	Index   int
	Time    time.Time
	Kind    EventKind
	Public  []byte // JSON: {"before":Facts,"after":Facts}
	Actor   Part   // JSON of the actor
	Target  Part   // JSON of the target
	// By and For are the users who acted and were acted for, TargetKind and TargetID what was acted on: for finding
	// what concerns somebody, and empty once forgotten.
	By, For    UserID
	TargetKind TargetKind
	TargetID   string
	Hash       Digest

	Shard  int    // of the change feed, from the account
	Number uint64 // in the shard, from 1, in the order of commits, without gaps
}

// A Part is a personal part of a record. Forgetting clears Salt and Text and keeps the commitment, so that the chain
// of hashes still holds.
type Part struct {
	Salt       []byte // 32 random bytes
	Text       []byte
	Commitment Digest // SHA-256 of Salt and Text
}

// Shards is how many shards the change feed has.
const Shards = 64

// Shard returns the shard of the change feed in which an account's events are numbered: the first byte of the
// SHA-256 of its id, modulo Shards.
func (id AccountID) Shard() int {
	sum := sha256.Sum256([]byte(id))
	return int(sum[0]) % Shards
}

type publicPart struct {
	Before Facts `json:"before,omitzero"`
	After  Facts `json:"after,omitzero"`
}

// newRecord returns the record of an event, not yet in the chain. The salts are random.
func newRecord(e Event, actorSalt, targetSalt [32]byte) (Record, error) {
	public, err := json.Marshal(publicPart{e.Before, e.After})
	if err != nil {
		return Record{}, err
	}
	actor, err := json.Marshal(e.Actor)
	if err != nil {
		return Record{}, err
	}
	target, err := json.Marshal(e.Target)
	if err != nil {
		return Record{}, err
	}
	r := Record{ID: e.ID, Account: e.Account, Version: e.Version, Time: e.Time, Kind: e.Kind, Public: public,
		Actor: newPart(actorSalt, actor), Target: newPart(targetSalt, target),
		By: e.Actor.User(), For: e.Actor.OnBehalf, TargetKind: e.Target.Kind, TargetID: e.Target.ID, Shard: e.Account.Shard()}
	return r, nil
}

// Concerns reports whether a user acted, was acted for, or was acted on.
func (r Record) Concerns(user UserID) bool {
	return r.By == user || r.For == user || r.TargetKind == TargetUser && r.TargetID == string(user)
}

func newPart(salt [32]byte, text []byte) Part {
	return Part{Salt: salt[:], Text: text, Commitment: commit(salt[:], text)}
}

func commit(salt, text []byte) Digest {
	h := sha256.New()
	h.Write(salt)
	h.Write(text)
	return Digest(h.Sum(nil))
}

// Seal puts the record at its place in the account's chain, after head, as the index-th event of its version, and
// returns the new head. Backends call it when an event is appended.
func (r *Record) Seal(head Head, index int) Head {
	r.Index = index
	r.Hash = r.hash(head.Hash)
	return Head{Count: head.Count + 1, Hash: r.Hash}
}

// hash is SHA-256 over the previous hash, then account, version, index, time in UTC microseconds, kind and public
// part, then the two commitments. Numbers are 8 bytes big-endian, texts are led by their length as such a number.
func (r *Record) hash(previous Digest) Digest {
	b := make([]byte, 0, 256+len(r.Public))
	b = append(b, previous[:]...)
	text := func(s string) {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	text(string(r.Account))
	b = binary.BigEndian.AppendUint64(b, r.Version)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Index))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Time.UnixMicro()))
	text(string(r.Kind))
	text(string(r.Public))
	b = append(b, r.Actor.Commitment[:]...)
	b = append(b, r.Target.Commitment[:]...)
	return sha256.Sum256(b)
}

// Event returns the event that the record holds. A record whose parts can't be read is an error.
func (r Record) Event() (Event, error) {
	e := Event{ID: r.ID, Account: r.Account, Version: r.Version, Index: r.Index, Time: r.Time, Kind: r.Kind, Hash: r.Hash}
	var public publicPart
	if err := json.Unmarshal(r.Public, &public); err != nil {
		return Event{}, err
	}
	e.Before, e.After = public.Before, public.After
	e.Redacted = r.Actor.Text == nil || r.Target.Text == nil
	if r.Actor.Text != nil {
		if err := json.Unmarshal(r.Actor.Text, &e.Actor); err != nil {
			return Event{}, err
		}
	}
	if r.Target.Text != nil {
		if err := json.Unmarshal(r.Target.Text, &e.Target); err != nil {
			return Event{}, err
		}
	}
	return e, nil
}
