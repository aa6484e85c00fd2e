package shop

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"sync"
	"time"
)

type payment struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"` // captured or refunded
	Amount    money     `json:"amount"`
	Method    string    `json:"method"`
	CreatedAt time.Time `json:"createdAt"`
}

type payments struct {
	mu  sync.Mutex
	all map[string]*payment // by id
}

func newPayments() http.Handler {
	s := &payments{all: map[string]*payment{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /payments", s.create)
	mux.HandleFunc("GET /payments/{paymentId}", s.get)
	mux.HandleFunc("POST /payments/{paymentId}/refunds", s.refund)
	return mux
}

func (s *payments) create(w http.ResponseWriter, r *http.Request) {
	var given struct {
		Amount money
		Method string
	}
	if !read(w, r, &given) {
		return
	}
	p := payment{newUUID(), "captured", given.Amount, given.Method, time.Now().UTC().Truncate(time.Second)}
	s.mu.Lock()
	s.all[p.ID] = &p
	s.mu.Unlock()
	reply(w, http.StatusCreated, p)
}

func (s *payments) get(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.all[r.PathValue("paymentId")]
	if p == nil {
		fail(w, http.StatusNotFound, "no such payment")
		return
	}
	reply(w, http.StatusOK, p)
}

// refund gives the money back. Weakness: to whoever asks; the specification
// wants a scope that only the staff has.
func (s *payments) refund(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.all[r.PathValue("paymentId")]
	if p == nil {
		fail(w, http.StatusNotFound, "no such payment")
		return
	}
	p.Status = "refunded"
	reply(w, http.StatusOK, p)
}

// newUUID returns a random UUID (RFC 9562 section 5.4).
func newUUID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
