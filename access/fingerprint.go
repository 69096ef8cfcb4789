package access

import (
	"encoding/binary"
	"io"
	"math/bits"
)

// A fingerprint stands for a user in an account, in the memory of a Cache: SipHash-1-3 with 128 bits of output, of both
// ids, and of their lengths unless both look like UUIDs. Its first number is odd, so that none is 0, and the last 14 bits
// are those of the account's counter: 113 bits tell pairs apart. Without the process's key nobody can find two pairs with one
// fingerprint, and by chance it takes about 2^56 pairs. Nobody gets to see a fingerprint; for hash tables, where that is so,
// the authors of SipHash propose 1-3, which takes half as long as 2-4.
type fingerprint struct{ high, low uint64 }

// A sipKey is the key of fingerprints, new in each process: the state that SipHash begins with.
type sipKey sip

func newSipKey(random io.Reader) (sipKey, error) {
	var key [16]byte
	if _, err := io.ReadFull(random, key[:]); err != nil {
		return sipKey{}, err
	}
	return sipKeyOf(binary.LittleEndian.Uint64(key[:8]), binary.LittleEndian.Uint64(key[8:])), nil
}

func sipKeyOf(k0, k1 uint64) sipKey {
	return sipKey{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ 0xee, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573}
}

// dashed reports whether an id looks like a UUID, as most ids do: whether it has 36 bytes, and the dashes.
func dashed(id string) bool {
	return len(id) == 36 && id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-'
}

// What hashes end with: the first is SipHash's.
const (
	endOfTexts = 0xee
	endOfUUIDs = 0xef
)

// of returns the fingerprint of a user in an account. Two ids that look like UUIDs are eight words, of what is between the
// dashes. Another end keeps them apart from all other pairs.
func (k *sipKey) of(user UserID, account AccountID) fingerprint {
	a, u := string(account), string(user)
	if !dashed(a) || !dashed(u) {
		return k.ofTexts(u, a)
	}
	s := sip(*k).word(word(a, 0)).word(half(a, 9) | half(a, 14)<<32).word(half(a, 19) | half(a, 24)<<32).word(word(a, 28))
	counter := s.counter()
	s = s.word(word(u, 0)).word(half(u, 9) | half(u, 14)<<32).word(half(u, 19) | half(u, 24)<<32).word(word(u, 28))
	return s.finish(endOfUUIDs, counter)
}

// ofTexts is of for all other pairs.
//
// Each id is filled up to a whole word in whose last byte is its length, as SipHash ends. So one can tell from the words of a
// pair how many are the user's, and all others are the account's: no two pairs are hashed as the same words. That byte doesn't
// say all of a length of 256 or more; but what is taken for 32 words less would leave more to the account than MaxIDBytes. See
// Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012).
func (k *sipKey) ofTexts(user, account string) fingerprint {
	s := sip(*k).text(account)
	counter := s.counter()
	if dashed(account) { // its counter is the same for users that look like UUIDs
		counter = k.counterOf(AccountID(account))
	}
	return s.text(user).finish(endOfTexts, counter)
}

// counterOf returns the number of an account's counter, which doesn't depend on the user: of begins in the same way.
func (k *sipKey) counterOf(account AccountID) uint64 {
	a := string(account)
	if !dashed(a) {
		return sip(*k).text(a).counter()
	}
	return sip(*k).word(word(a, 0)).word(half(a, 9) | half(a, 14)<<32).word(half(a, 19) | half(a, 24)<<32).word(word(a, 28)).counter()
}

// sip is the state of SipHash. It is passed by value, which keeps it in registers.
type sip struct{ v0, v1, v2, v3 uint64 }

// text takes in a text as words of eight bytes, and the rest of it with its length.
func (s sip) text(text string) sip {
	last := uint64(len(text)) << 56
	for ; len(text) >= 8; text = text[8:] {
		s = s.word(word(text, 0))
	}
	for i := range len(text) {
		last |= uint64(text[i]) << (8 * i)
	}
	return s.word(last)
}

// word returns eight bytes of a text, from the i-th on.
func word(text string, i int) uint64 {
	return uint64(text[i]) | uint64(text[i+1])<<8 | uint64(text[i+2])<<16 | uint64(text[i+3])<<24 |
		uint64(text[i+4])<<32 | uint64(text[i+5])<<40 | uint64(text[i+6])<<48 | uint64(text[i+7])<<56
}

// half returns four of them.
func half(text string, i int) uint64 {
	return uint64(text[i]) | uint64(text[i+1])<<8 | uint64(text[i+2])<<16 | uint64(text[i+3])<<24
}

// word takes in a word, by one SipRound.
func (s sip) word(m uint64) sip {
	s.v3 ^= m
	a := s.v0 + s.v1
	c := s.v2 + s.v3
	b := bits.RotateLeft64(s.v1, 13) ^ a
	d := bits.RotateLeft64(s.v3, 16) ^ c
	a = bits.RotateLeft64(a, 32) + d
	c += b
	return sip{a ^ m, bits.RotateLeft64(b, 17) ^ c, bits.RotateLeft64(c, 32), bits.RotateLeft64(d, 21) ^ a}
}

// sum returns all four numbers of the state in one.
func (s sip) sum() uint64 { return s.v0 ^ s.v1 ^ s.v2 ^ s.v3 }

// counter returns the number of the counter of the account that was taken in. One round mixes a short last word little; the
// product with 2^64 over the golden ratio mixes it. Whoever may choose ids of accounts can have some share a counter, and so be
// asked for again more often.
func (s sip) counter() uint64 { return s.sum() * 0x9e3779b97f4a7c15 >> (64 - counterBits) }

// finish returns the fingerprint of what was taken in, in which the end of the hash makes way for a counter's number.
func (s sip) finish(end, counter uint64) (f fingerprint) {
	s = sip{s.v0, s.v1, s.v2 ^ end, s.v3}.word(0).word(0).word(0)
	f.high = s.sum() | 1
	f.low = sip{s.v0, s.v1 ^ 0xdd, s.v2, s.v3}.word(0).word(0).word(0).sum()&^counterMask | counter
	return f
}
