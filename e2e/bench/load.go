package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// upstream is a real server that reads each request and answers 200. Its CPU
// is not counted: it is in this process.
type upstream struct {
	address         string
	server          http.Server
	answer          atomic.Pointer[[]byte]
	requests, bytes atomic.Int64 // of all that arrived
}

func newUpstream() (*upstream, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &upstream{address: l.Addr().String()}
	u.server.Handler = http.HandlerFunc(u.serve)
	go u.server.Serve(l) // ends with Close
	return u, nil
}

func (u *upstream) serve(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	u.requests.Add(1)
	u.bytes.Add(n)
	w.Header().Set("Content-Type", "application/json")
	w.Write(*u.answer.Load())
}

// client is a closed loop over connections that stay open: each sends the
// next request when the last has been answered.
type client struct{ connections []*connection }

type connection struct {
	net.Conn
	buffer [4096]byte
}

func dial(address string, n int) (*client, error) {
	c := &client{}
	for range n {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
		c.connections = append(c.connections, &connection{Conn: conn})
	}
	return c, nil
}

func (c *client) close() error {
	var err error
	for _, conn := range c.connections {
		err = errors.Join(err, conn.Close())
	}
	return err
}

// run sends request for a duration and returns how many were answered. Any
// answer but one of the size of the upstream's is an error.
func (c *client) run(request []byte, answer int, d time.Duration) (int64, error) {
	var answered atomic.Int64
	var wait sync.WaitGroup
	errs := make([]error, len(c.connections))
	deadline := time.Now().Add(d)
	for i, conn := range c.connections {
		wait.Go(func() {
			for errs[i] == nil && time.Now().Before(deadline) {
				if errs[i] = conn.roundTrip(request, answer); errs[i] == nil {
					answered.Add(1)
				}
			}
		})
	}
	wait.Wait()
	return answered.Load(), errors.Join(errs...)
}

const responseTimeout = 20 * time.Second

func (c *connection) roundTrip(request []byte, answer int) error {
	c.SetDeadline(time.Now().Add(responseTimeout))
	if _, err := c.Write(request); err != nil {
		return err
	}
	for read := 0; ; {
		n, err := c.Read(c.buffer[read:])
		if err != nil {
			return err
		}
		read += n
		head, body, whole := bytes.Cut(c.buffer[:read], []byte("\r\n\r\n"))
		switch {
		case whole && !bytes.HasPrefix(head, []byte("HTTP/1.1 200 ")), read == len(c.buffer):
			return fmt.Errorf("not the upstream's answer:\n%s", c.buffer[:read])
		case whole && len(body) >= answer:
			return nil
		}
	}
}
