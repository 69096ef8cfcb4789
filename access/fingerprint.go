package access

import (
	"encoding/binary"
	"io"
	"math/bits"
)

// A fingerprint stands for a user in an account, in the memory of a Cache: SipHash-1-3 with 128 bits of output, of both
// ids and their lengths. Without the process's key nobody can find two pairs with one fingerprint, and by chance it takes
// about 2^56 pairs, as 112 bits tell them apart. Nobody gets to see a fingerprint; for hash tables, where that is so, the
// authors of SipHash propose 1-3, which takes half as long as 2-4.
type fingerprint struct{ high, low uint64 }

// A sipKey is the key of fingerprints, new in each process.
type sipKey struct{ k0, k1 uint64 }

func newSipKey(random io.Reader) (sipKey, error) {
	var key [16]byte
	if _, err := io.ReadFull(random, key[:]); err != nil {
		return sipKey{}, err
	}
	return sipKey{binary.LittleEndian.Uint64(key[:8]), binary.LittleEndian.Uint64(key[8:])}, nil
}

// of returns the fingerprint of a user in an account, and a number that depends on the account only.
//
// Each id is filled up to a whole word in whose last byte is its length, as SipHash ends. So one can tell from the words of a
// pair how many are the user's, and all others are the account's: no two pairs are hashed as the same words. That byte doesn't
// say all of a length of 256 or more; but what is taken for 32 words less would leave more to the account than MaxIDBytes. See
// Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012).
func (k sipKey) of(user UserID, account AccountID) (pair fingerprint, ofAccount uint64) {
	s := k.start().text(string(account))
	ofAccount = (s.v0 ^ s.v1 ^ s.v2 ^ s.v3) * 0x9e3779b97f4a7c15 // 2^64 over the golden ratio: one round mixes a short last word little
	return s.text(string(user)).finish(), ofAccount
}

func (k sipKey) start() sip {
	return sip{k.k0 ^ 0x736f6d6570736575, k.k1 ^ 0x646f72616e646f6d ^ 0xee, k.k0 ^ 0x6c7967656e657261, k.k1 ^ 0x7465646279746573}
}

// sip is the state of SipHash. It is passed by value, which keeps it in registers.
type sip struct{ v0, v1, v2, v3 uint64 }

// text takes in a text as words of eight bytes, and the rest of it with its length.
func (s sip) text(text string) sip {
	last := uint64(len(text)) << 56
	for ; len(text) >= 8; text = text[8:] {
		m := uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
			uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
		s.v3 ^= m
		s = s.round()
		s.v0 ^= m
	}
	rest := 0
	if len(text) >= 4 { // as in a UUID
		last |= uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24
		rest = 4
	}
	for ; rest < len(text); rest++ {
		last |= uint64(text[rest]) << (8 * rest)
	}
	return s.word(last)
}

func (s sip) word(m uint64) sip {
	s.v3 ^= m
	s = s.round()
	s.v0 ^= m
	return s
}

func (s sip) finish() (hash fingerprint) {
	s.v2 ^= 0xee
	s = s.round().round().round()
	hash.high = s.v0 ^ s.v1 ^ s.v2 ^ s.v3
	s.v1 ^= 0xdd
	s = s.round().round().round()
	hash.low = s.v0 ^ s.v1 ^ s.v2 ^ s.v3
	return hash
}

func (s sip) round() sip {
	s.v0 += s.v1
	s.v2 += s.v3
	s.v1 = bits.RotateLeft64(s.v1, 13) ^ s.v0
	s.v3 = bits.RotateLeft64(s.v3, 16) ^ s.v2
	s.v0 = bits.RotateLeft64(s.v0, 32) + s.v3
	s.v2 += s.v1
	s.v3 = bits.RotateLeft64(s.v3, 21) ^ s.v0
	s.v1 = bits.RotateLeft64(s.v1, 17) ^ s.v2
	s.v2 = bits.RotateLeft64(s.v2, 32)
	return s
}
