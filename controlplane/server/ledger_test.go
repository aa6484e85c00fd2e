package server

import (
	"context"
	"net"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/peer"
)

// TestSharedID has streams of one node come and go. That several Envoys have
// its id is said once both of two streams have been open for long, and holds
// until one ends.
func TestSharedID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := newLedger()
		var said []*Shared
		b := &bookkeeper{ledger: ledger, onNode: func(string, bool) {}, onShare: func(s *Shared) { said = append(said, s) }}
		come := func(id int64) {
			address := &net.TCPAddr{IP: net.IPv4(10, 0, 0, byte(id)), Port: 7}
			if err := b.OnDeltaStreamOpen(peer.NewContext(context.Background(), &peer.Peer{Addr: address}), id, ""); err != nil {
				t.Fatal(err)
			}
			if err := b.OnStreamDeltaRequest(id, clusters); err != nil {
				t.Fatal(err)
			}
		}
		leave := func(id int64) { b.OnDeltaStreamClosed(id, nil) }
		expect := func(when string, peers ...string) {
			t.Helper()
			synctest.Wait()
			var want []*Shared
			now := (*Shared)(nil)
			if len(peers) > 0 {
				now = &Shared{"node", peers}
				want = append(want, now)
			}
			if !reflect.DeepEqual(said, want) {
				t.Errorf("%s: said %+v, want %+v", when, said, want)
			}
			if got := ledger.all()[0].Shared; !reflect.DeepEqual(got, now) {
				t.Errorf("%s: got %+v, want %+v", when, got, now)
			}
			said = nil
		}
		come(1)
		time.Sleep(2 * sharedAfter)
		expect("alone")
		come(2)
		time.Sleep(keepaliveTime + keepaliveTimeout)
		expect("the old stream may be dead")
		leave(1)
		time.Sleep(2 * sharedAfter)
		expect("it has ended")
		come(3)
		time.Sleep(sharedAfter)
		expect("both go on", "10.0.0.2:7", "10.0.0.3:7")
		leave(2)
		time.Sleep(2 * sharedAfter)
		expect("one has gone")
	})
}

func TestSharedSaysWhatToDo(t *testing.T) {
	const want = "2 Envoys have the node id \"a\", so that what they accept and count is mixed up: 10.0.0.2:7, 10.0.0.3:7; give each an id of its own, by `threatgate bootstrap --node NAME`"
	if got := (&Shared{"a", []string{"10.0.0.2:7", "10.0.0.3:7"}}).Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
