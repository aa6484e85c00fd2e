//go:build wasip1

package main

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"

	"github.com/threatgate/threatgate/filter/host"
	"github.com/threatgate/threatgate/internal/enforce/siphash"
)

// world is what the engine may ask of Envoy.
type world struct{}

func (world) Now() int64 { return host.Now() }

// ClientAddress is the address that Envoy takes for the client's, without
// its port.
func (world) ClientAddress() []byte {
	address := host.Property(sourceAddress)
	if i := bytes.LastIndexByte(address, ':'); i >= 0 {
		address = address[:i]
	}
	return address
}

var sourceAddress = []byte("source\x00address")

// FromUpstream tells by the response code details, which for Envoy's own
// answers say what went wrong.
func (world) FromUpstream() bool {
	return string(host.Property(codeDetails)) == "via_upstream"
}

var codeDetails = []byte("response\x00code_details")

func (world) Get(key []byte) ([]byte, uint32) { return host.SharedData(key) }

func (world) Set(key, value []byte, version uint32) bool {
	return host.SetSharedData(key, value, version)
}

// HashKey is drawn by the first worker that needs it and never leaves
// Envoy's memory.
func (world) HashKey() siphash.Key {
	if hashKey != (siphash.Key{}) {
		return hashKey
	}
	value, _ := host.SharedData(hashKeyName)
	if len(value) != hashKeySize {
		drawn := binary.LittleEndian.AppendUint64(nil, rand.Uint64())
		host.SetSharedData(hashKeyName, binary.LittleEndian.AppendUint64(drawn, rand.Uint64()), 0) // unless another worker has been first
		value, _ = host.SharedData(hashKeyName)
	}
	hashKey = siphash.Key{K0: binary.LittleEndian.Uint64(value), K1: binary.LittleEndian.Uint64(value[8:])}
	return hashKey
}

var (
	hashKeyName = []byte("tg.hash-key")
	hashKey     siphash.Key
)

const hashKeySize = 16
