package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"sync/atomic"
	"time"
)

// Key is a key as a server knows it: its hash, and what it opens.
type Key struct {
	Hash    [sha256.Size]byte // see HashKey
	Expires time.Time         // zero: never
	Caller  Caller            // Limits are the keyring's
	Bounds  KeyBounds
}

// Keyring has the keys that are not revoked. They are read from memory, and replaced
// all at once while requests go on. It is Keys.
type Keyring struct {
	now   func() time.Time
	known atomic.Bool // they were read
	keys  atomic.Pointer[map[[sha256.Size]byte]*Key]
}

// NewKeyring makes one without keys. now is the wall clock.
func NewKeyring(now func() time.Time) *Keyring {
	k := &Keyring{now: now}
	k.keys.Store(&map[[sha256.Size]byte]*Key{})
	return k
}

// Set replaces the keys. One that stays keeps the count of its limits. It is called
// by one goroutine at a time.
func (k *Keyring) Set(keys []Key) {
	before, limits := *k.keys.Load(), map[string]*KeyLimits{}
	for _, key := range before {
		limits[key.Caller.Key] = key.Caller.Limits
	}
	now := make(map[[sha256.Size]byte]*Key, len(keys))
	for _, key := range keys {
		if key.Caller.Limits = limits[key.Caller.Key]; key.Caller.Limits == nil && key.Bounds != (KeyBounds{}) {
			key.Caller.Limits = newKeyLimits(key.Bounds)
		}
		now[key.Hash] = &key
	}
	k.keys.Store(&now)
	k.known.Store(true)
}

// Known reports whether the keys were ever read. Until then nobody is let in: who has
// no key may be one that needs one.
func (k *Keyring) Known() bool { return k.known.Load() }

// Any reports whether there are keys. One that has expired counts: nothing becomes
// open by the passing of time.
func (k *Keyring) Any() bool { return len(*k.keys.Load()) > 0 }

// Find gives the caller that a key's text belongs to. The time that it takes tells
// nothing of the keys that there are: what is looked up is the hash of the text, and to
// choose a text so that its hash begins like that of a key is to search as long as for
// the key itself. The hashes are compared in constant time all the same.
func (k *Keyring) Find(text string) (Caller, bool) {
	hash := HashKey(text)
	key, ok := (*k.keys.Load())[hash]
	if !ok || subtle.ConstantTimeCompare(hash[:], key.Hash[:]) != 1 {
		return Caller{}, false
	}
	if !key.Expires.IsZero() && !k.now().Before(key.Expires) {
		return Caller{}, false
	}
	return key.Caller, true
}
