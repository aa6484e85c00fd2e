// Package siphash is SipHash-1-3, the keyed hash of Aumasson and Bernstein
// ("SipHash: a fast short-input PRF", 2012) with one round for each word and
// three at the end. Who does not know the key can't choose inputs that
// collide.
package siphash

import (
	"encoding/binary"
	"math/bits"
)

// Key is the secret.
type Key struct{ K0, K1 uint64 }

// Sum is the hash of b.
func (k Key) Sum(b []byte) uint64 {
	v0, v1, v2, v3 := k.start()
	n := len(b)
	for len(b) >= 8 {
		w := binary.LittleEndian.Uint64(b)
		v3 ^= w
		v0, v1, v2, v3 = round(v0, v1, v2, v3)
		v0 ^= w
		b = b[8:]
	}
	// The rest is finish, written out: in Wasm the call would cost as much
	// as the rounds.
	w := tail(b) | uint64(n)<<56
	v3 ^= w
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	v0 ^= w
	v2 ^= 0xff
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	return v0 ^ v1 ^ v2 ^ v3
}

// Pair is the hash of two words.
func (k Key) Pair(a, b uint64) uint64 {
	v0, v1, v2, v3 := k.start()
	v3 ^= a
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	v0 ^= a
	v3 ^= b
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	v0 ^= b
	return finish(v0, v1, v2, v3, 16<<56)
}

// Digest is the hash of bytes that arrive in pieces: the same as Sum of all
// of them, however they are cut.
type Digest struct {
	v0, v1, v2, v3 uint64
	rest           [8]byte // the last n%8 bytes
	n              uint64
}

// Reset starts a new hash.
func (d *Digest) Reset(k Key) {
	d.v0, d.v1, d.v2, d.v3 = k.start()
	d.n = 0
}

// Write adds b.
func (d *Digest) Write(b []byte) {
	if have := int(d.n % 8); have > 0 {
		n := copy(d.rest[have:], b)
		d.n += uint64(n)
		b = b[n:]
		if have+n < 8 {
			return
		}
		d.word(binary.LittleEndian.Uint64(d.rest[:]))
	}
	for ; len(b) >= 8; b = b[8:] {
		d.word(binary.LittleEndian.Uint64(b))
		d.n += 8
	}
	d.n += uint64(copy(d.rest[:], b))
}

func (d *Digest) word(w uint64) {
	v0, v1, v2, v3 := round(d.v0, d.v1, d.v2, d.v3^w)
	d.v0, d.v1, d.v2, d.v3 = v0^w, v1, v2, v3
}

// Sum is the hash of what was written.
func (d *Digest) Sum() uint64 {
	return finish(d.v0, d.v1, d.v2, d.v3, tail(d.rest[:d.n%8])|d.n<<56)
}

func (k Key) start() (v0, v1, v2, v3 uint64) {
	return k.K0 ^ 0x736f6d6570736575, k.K1 ^ 0x646f72616e646f6d, k.K0 ^ 0x6c7967656e657261, k.K1 ^ 0x7465646279746573
}

// tail is up to seven bytes as a word.
func tail(b []byte) uint64 {
	n := len(b)
	switch {
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<(8*(n-4))
	case n > 0:
		return uint64(b[0]) | uint64(b[n>>1])<<(8*(n>>1)) | uint64(b[n-1])<<(8*(n-1))
	}
	return 0
}

func finish(v0, v1, v2, v3, last uint64) uint64 {
	v3 ^= last
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	v0 ^= last
	v2 ^= 0xff
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	v0, v1, v2, v3 = round(v0, v1, v2, v3)
	return v0 ^ v1 ^ v2 ^ v3
}

func round(v0, v1, v2, v3 uint64) (uint64, uint64, uint64, uint64) {
	v0 += v1
	v1 = bits.RotateLeft64(v1, 13) ^ v0
	v0 = bits.RotateLeft64(v0, 32)
	v2 += v3
	v3 = bits.RotateLeft64(v3, 16) ^ v2
	v0 += v3
	v3 = bits.RotateLeft64(v3, 21) ^ v0
	v2 += v1
	v1 = bits.RotateLeft64(v1, 17) ^ v2
	v2 = bits.RotateLeft64(v2, 32)
	return v0, v1, v2, v3
}
