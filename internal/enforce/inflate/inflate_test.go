package inflate

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// read is what d makes of a body, and whether it was whole.
func read(d *Decoder, c Coding, chunks ...[]byte) (decoded []byte, ok bool) {
	d.Reset(c)
	for {
		switch d.Next() {
		case More:
			if len(chunks) == 0 {
				d.Finish()
				continue
			}
			d.Feed(chunks[0])
			chunks = chunks[1:]
		case Part:
			decoded = append(decoded, d.Bytes...)
		case Failed:
			return decoded, false
		case End:
			return decoded, true
		}
	}
}

// cut cuts a body into chunks of one size.
func cut(body []byte, size int) (chunks [][]byte) {
	for len(body) > size {
		chunks = append(chunks, body[:size])
		body = body[size:]
	}
	return append(chunks, body)
}

// encode is what the standard library makes of data.
func encode(c Coding, level int, data []byte) []byte {
	var b bytes.Buffer
	var w io.WriteCloser
	if c == Gzip {
		w, _ = gzip.NewWriterLevel(&b, level)
	} else {
		w, _ = zlib.NewWriterLevel(&b, level)
	}
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// texts are data that make for blocks of all kinds, and for copies of all
// lengths and distances.
func texts() map[string][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	var far bytes.Buffer // distances up to the whole window
	far.Write(noise[:windowSize])
	far.Write(noise[:windowSize])
	far.Write(noise[1 : windowSize-1])
	var words bytes.Buffer
	for words.Len() < 200_000 {
		fmt.Fprintf(&words, `{"id":%d,"name":"%x"},`, random.IntN(1e6), random.Uint32()%5000)
	}
	return map[string][]byte{
		"nothing": {}, "a byte": []byte("x"), "a line": []byte("it was the best of times, it was the worst of times"),
		"zeros": make([]byte, 300_000), "noise": noise, "far": far.Bytes(), "words": words.Bytes(),
		"windows": bytes.Repeat(noise[:1000], windowSize*3/1000),
	}
}

func TestDecoding(t *testing.T) {
	var d Decoder
	ran := 0
	for name, text := range texts() {
		for _, c := range []Coding{Gzip, Zlib} {
			for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
				body := encode(c, level, text)
				for _, size := range []int{1, 3, 1000, 1 << 20} {
					if got, ok := read(&d, c, cut(body, size)...); !ok || !bytes.Equal(got, text) {
						t.Errorf("%s, coding %d, level %d, chunks of %d: %d bytes of %d, whole: %t", name, c, level, size, len(got), len(text), ok)
					}
					ran++
				}
			}
		}
	}
	t.Logf("%d bodies", ran)
}

// header is a gzip header with everything that it may have.
func header() []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name, w.Comment, w.Extra, w.ModTime = "name", "comment", []byte("extra"), time.Unix(1e9, 0)
	w.Write([]byte("text"))
	w.Close()
	return b.Bytes()
}

// withHeaderSum is header with the sum that RFC 1952 allows it to have.
func withHeaderSum(right bool) []byte {
	body := header()
	end := bytes.Index(body, []byte("comment\x00")) + len("comment\x00")
	body[3] |= hasSum
	var d Decoder
	d.Reset(Gzip)
	d.crc.Write(body[:end])
	sum := d.crc.Sum32()
	if !right {
		sum++
	}
	return append(append(append([]byte(nil), body[:end]...), byte(sum), byte(sum>>8)), body[end:]...)
}

var (
	gzipped = encode(Gzip, flate.DefaultCompression, []byte("text"))
	zlibbed = encode(Zlib, flate.DefaultCompression, []byte("text"))
)

// changed is body with one byte another.
func changed(body []byte, at int, to byte) []byte {
	body = bytes.Clone(body)
	if at < 0 {
		at += len(body)
	}
	body[at] = to
	return body
}

// deflated are the bits of deflate data, lowest first, in a zlib body that
// ends behind them.
func deflated(bits string) []byte {
	body := []byte{0x78, 0x9c}
	bits = strings.ReplaceAll(bits, " ", "")
	for len(bits) > 0 {
		var c byte
		for i := range min(8, len(bits)) {
			c |= (bits[i] - '0') << i
		}
		body, bits = append(body, c), bits[min(8, len(bits)):]
	}
	return body
}

// small is zlib data, of which the header allows distances of 256 bytes.
func small(text string) []byte {
	body := encode(Zlib, flate.BestCompression, []byte(text))
	body[0], body[1] = 0x08, 0x1d
	return body
}

// lone begins a block of which the only symbol is its end, in a code of one
// bit, without distances.
var lone = "1 01 00000 00000 0111" + "000 000 100 010" + strings.Repeat("000", 13) + "010" + "0 1111111 0 1101011 11 10"

// filler is text without repetitions, longer than the window of small.
var filler = func() string {
	var b strings.Builder
	for i := range 150 {
		b.WriteRune(rune('A' + i%52))
		b.WriteRune(rune('A' + i/52))
	}
	return b.String()
}()

var bodies = []struct {
	name   string
	coding Coding
	body   []byte
	want   string // what is decoded, and "!" if that is refused then
}{
	{"gzip", Gzip, gzipped, "text"},
	{"zlib", Zlib, zlibbed, "text"},
	{"whole header", Gzip, header(), "text"},
	{"sum of the header", Gzip, withHeaderSum(true), "text"},
	{"text flag", Gzip, changed(gzipped, 3, 1), "text"},
	{"small window", Zlib, small(strings.Repeat("a", 300)), strings.Repeat("a", 300)},
	{"fixed block, no data", Zlib, append(deflated("1 10 0000000"), 0, 0, 0, 1), ""},
	{"only an end, in a dynamic block", Zlib, append(deflated(lone+"0"), 0, 0, 0, 1), ""},
	{"stored behind compressed", Zlib, append(deflated("0 10 0000000 1 00"), 2, 0, 0xfd, 0xff, 'a', 'b', 0x01, 0x26, 0x00, 0xc4), "ab"},
	{"two blocks", Zlib, append(deflated("0 10 0000000 1 10 0000000"), 0, 0, 0, 1), ""},

	{"nothing", Gzip, nil, "!"},
	{"nothing", Zlib, nil, "!"},
	{"the other coding", Gzip, zlibbed, "!"},
	{"the other coding", Zlib, gzipped, "!"},
	{"no header", Zlib, zlibbed[2:], "!"},
	{"cut off in the sum", Gzip, gzipped[:len(gzipped)-5], "text!"},
	{"cut off in the size", Gzip, gzipped[:len(gzipped)-1], "text!"},
	{"cut off in the sum", Zlib, zlibbed[:len(zlibbed)-1], "text!"},
	{"second member", Gzip, append(bytes.Clone(gzipped), gzipped...), "text!"},
	{"second body", Zlib, append(bytes.Clone(zlibbed), zlibbed...), "text!"},
	{"a zero behind the end", Gzip, append(bytes.Clone(gzipped), 0), "text!"},
	{"a zero behind the end", Zlib, append(bytes.Clone(zlibbed), 0), "text!"},
	{"wrong sum", Gzip, changed(gzipped, -5, 0), "text!"},
	{"wrong size", Gzip, changed(gzipped, -1, 1), "text!"},
	{"wrong sum", Zlib, changed(zlibbed, -1, 0), "text!"},
	{"wrong sum of the header", Gzip, withHeaderSum(false), "!"},
	{"magic", Gzip, changed(gzipped, 1, 0), "!"},
	{"method", Gzip, changed(gzipped, 2, 7), "!"},
	{"unassigned flag", Gzip, changed(gzipped, 3, 0x20), "!"},
	{"method", Zlib, changed(changed(zlibbed, 0, 0x79), 1, 0x96), "!"},
	{"window", Zlib, changed(changed(zlibbed, 0, 0x88), 1, 0x1c), "!"},
	{"check", Zlib, changed(zlibbed, 1, 0x9d), "!"},
	{"dictionary", Zlib, changed(zlibbed, 1, 0xbb), "!"},
	{"beyond the small window", Zlib, small(filler + filler), filler + "!"},

	{"no such symbol", Zlib, deflated(lone + "1 0000000 00000000"), "!"},
	{"third kind of block", Zlib, deflated("1 11"), "!"},
	{"stored size", Zlib, []byte{0x78, 0x9c, 1, 1, 0, 0, 0, 'a'}, "!"},
	{"cut off in a stored block", Zlib, []byte{0x78, 0x9c, 1, 2, 0, 0xfd, 0xff, 'a'}, "a!"},
	{"distance before the start", Zlib, deflated("1 10 0000001 00000"), "!"},
	{"distance before the start", Zlib, deflated("1 10 00110000 0000001 00001"), "\x00!"},
	{"length symbol 286", Zlib, deflated("1 10 11000110 00000000"), "!"},
	{"distance symbol 30", Zlib, deflated("1 10 00110000 0000001 11110 000000"), "\x00!"},
	{"too many literals", Zlib, deflated("1 01 01111 00000 0000"), "!"},
	{"too many distances", Zlib, deflated("1 01 00000 01111 0000"), "!"},
	{"length code oversubscribed", Zlib, deflated("1 01 00000 00000 0000 100 100 100 000"), "!"},
	{"length code incomplete", Zlib, deflated("1 01 00000 00000 0000 100 000 000 000"), "!"},
	{"nothing to repeat", Zlib, deflated("1 01 00000 00000 0000 100 100 000 000 0 00"), "!"},
	{"too long a run", Zlib, deflated("1 01 00000 00000 0000 000 100 100 000 1 1111111 1 1111111"), "!"},
}

func TestBodies(t *testing.T) {
	var d Decoder
	for _, row := range bodies {
		want, failed := strings.CutSuffix(row.want, "!")
		for i := range len(row.body) + 1 {
			got, ok := read(&d, row.coding, row.body[:i], row.body[i:])
			if string(got) != want || ok == failed {
				t.Errorf("%s, coding %d, cut at %d: %q, whole: %t; want %s", row.name, row.coding, i, got, ok, row.want)
			}
		}
	}
	t.Logf("%d bodies", len(bodies))
}

func TestCuttingOff(t *testing.T) {
	var d Decoder
	text := append(texts()["words"][:3000], texts()["words"][:300]...)
	for _, c := range []Coding{Gzip, Zlib} {
		for _, level := range []int{flate.NoCompression, flate.HuffmanOnly, flate.BestCompression} {
			body := encode(c, level, text)
			for i := range body {
				if got, ok := read(&d, c, body[:i]); ok || !bytes.HasPrefix(text, got) {
					t.Fatalf("coding %d, level %d: the first %d of %d bytes are taken for a body", c, level, i, len(body))
				}
			}
		}
	}
}

func TestDecodingAllocatesNothing(t *testing.T) {
	var d Decoder
	body := encode(Gzip, flate.DefaultCompression, texts()["words"])
	other := encode(Zlib, flate.DefaultCompression, texts()["words"])
	decode := func(c Coding, body []byte) {
		d.Reset(c)
		d.Feed(body)
		for d.Next() == Part {
		}
		d.Finish()
		if d.Next() != End {
			t.Error("not whole")
		}
	}
	decode(Gzip, body)
	if n := testing.AllocsPerRun(10, func() { decode(Gzip, body); decode(Zlib, other) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// oracle is what the standard library makes of a body; with one member.
func oracle(c Coding, body []byte) (decoded []byte, err error) {
	input := bytes.NewReader(body)
	var r io.Reader
	if c == Gzip {
		var z *gzip.Reader
		if z, err = gzip.NewReader(input); err == nil {
			z.Multistream(false)
			r = z
		}
	} else {
		r, err = zlib.NewReader(input)
	}
	if err == nil {
		decoded, err = io.ReadAll(io.LimitReader(r, 1<<22))
	}
	if err == nil && input.Len() > 0 {
		err = errors.New("something behind the end")
	}
	return decoded, err
}

// FuzzDecoding: what we take for a body, the standard library decodes to the
// same; and where the chunks end makes no difference.
func FuzzDecoding(f *testing.F) {
	for _, row := range bodies {
		f.Add(uint8(row.coding), row.body, uint64(1))
	}
	for _, text := range texts() {
		for _, c := range []Coding{Gzip, Zlib} {
			f.Add(uint8(c), encode(c, flate.BestCompression, text[:min(len(text), 3000)]), uint64(2))
		}
	}
	var d Decoder
	f.Fuzz(func(t *testing.T, coding uint8, body []byte, seed uint64) {
		c := Coding(coding % 2)
		got, ok := read(&d, c, body)
		if len(got) > 1<<21 {
			return
		}
		want, err := oracle(c, body)
		longName := errors.Is(err, gzip.ErrHeader) && len(body) > 512 // of a file, or a comment: the library's own bound
		if ok && !longName && (err != nil || !bytes.Equal(got, want)) {
			t.Errorf("coding %d: we decode %d bytes, the library %d (%v)", c, len(got), len(want), err)
		}
		random := rand.New(rand.NewPCG(seed, 0))
		var chunks [][]byte
		for rest := body; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		if again, whole := read(&d, c, chunks...); whole != ok || !bytes.Equal(again, got) {
			t.Errorf("coding %d, in chunks: %d bytes, whole: %t; else %d bytes, whole: %t", c, len(again), whole, len(got), ok)
		}
	})
}

// FuzzEncoding: what the standard library encodes, we decode.
func FuzzEncoding(f *testing.F) {
	for _, text := range texts() {
		f.Add(text[:min(len(text), 70_000)], int8(flate.BestSpeed), uint16(100))
	}
	var d Decoder
	f.Fuzz(func(t *testing.T, text []byte, level int8, size uint16) {
		level = int8(flate.HuffmanOnly + int(uint8(level))%(flate.BestCompression-flate.HuffmanOnly+1))
		for _, c := range []Coding{Gzip, Zlib} {
			body := encode(c, int(level), text)
			if got, ok := read(&d, c, cut(body, int(size)+1)...); !ok || !bytes.Equal(got, text) {
				t.Errorf("coding %d, level %d, chunks of %d: %d bytes of %d, whole: %t", c, level, size, len(got), len(text), ok)
			}
		}
	})
}

func BenchmarkDecoding(b *testing.B) {
	text := texts()["words"]
	body := encode(Gzip, flate.DefaultCompression, text)
	b.Run("ours", func(b *testing.B) {
		var d Decoder
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			d.Reset(Gzip)
			d.Feed(body)
			for d.Next() == Part {
			}
		}
	})
	b.Run("compress/gzip", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		r := new(gzip.Reader)
		for b.Loop() {
			r.Reset(bytes.NewReader(body))
			io.Copy(io.Discard, r)
		}
	})
}
