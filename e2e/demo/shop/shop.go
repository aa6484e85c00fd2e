// Package shop is the demo system: a small shop of four HTTP services that
// call each other, as one finds them behind a gateway.
//
// It is written the way shops are written: it works, and it trusts too much.
// Its weaknesses are listed in ../README.md; comments mark them where they
// are. Everything is kept in memory.
package shop

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/threatgate/threatgate/e2e/demo/token"
)

// Config says where the services listen and how they reach each other.
type Config struct {
	// host:port to listen on; "" is a free port of 127.0.0.1.
	Storefront, Orders, Payments, Analytics string

	// Base URLs at which callers reach a service, without trailing slash:
	// the gateway's listeners. "" is the service itself.
	OrdersURL, PaymentsURL, AnalyticsURL string

	Record bool // keep every request that arrives, for tests
}

// Shop is the running shop.
type Shop struct {
	Storefront, Orders, Payments, Analytics *Service
}

// Service is one running service.
type Service struct {
	Addr string // host:port

	listener net.Listener
	server   *http.Server
	mu       sync.Mutex
	requests []Request
}

// Request is a request as it arrived at a service.
type Request struct {
	Method string
	Target string // as on the request line
	Header http.Header
	Body   []byte
}

// Start listens on all addresses of config and then serves until Close.
func Start(config Config) (*Shop, error) {
	var listening []*Service
	var failed error
	listen := func(name, addr string) *Service {
		listener, err := net.Listen("tcp", cmp.Or(addr, "127.0.0.1:0"))
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", name, err))
			return nil
		}
		service := &Service{Addr: listener.Addr().String(), listener: listener}
		listening = append(listening, service)
		return service
	}
	shop := &Shop{
		Storefront: listen("storefront", config.Storefront),
		Orders:     listen("orders", config.Orders),
		Payments:   listen("payments", config.Payments),
		Analytics:  listen("analytics", config.Analytics),
	}
	if failed != nil {
		for _, service := range listening {
			service.listener.Close()
		}
		return nil, failed
	}
	ordersURL := cmp.Or(config.OrdersURL, "http://"+shop.Orders.Addr)
	paymentsURL := cmp.Or(config.PaymentsURL, "http://"+shop.Payments.Addr)
	analyticsURL := cmp.Or(config.AnalyticsURL, "http://"+shop.Analytics.Addr)
	shop.Storefront.serve(newStorefront(token.NewSigner(token.Phrase), ordersURL), config.Record)
	shop.Orders.serve(newOrders(paymentsURL, analyticsURL), config.Record)
	shop.Payments.serve(newPayments(), config.Record)
	shop.Analytics.serve(newAnalytics(), config.Record)
	return shop, nil
}

// Close stops all services, callers first, and lets requests under way end.
func (s *Shop) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var err error
	for _, service := range []*Service{s.Storefront, s.Orders, s.Payments, s.Analytics} {
		if stopped := service.server.Shutdown(ctx); stopped != nil {
			err = errors.Join(err, stopped, service.server.Close())
		}
	}
	return err
}

// Requests returns what arrived so far, if Config.Record was set.
func (s *Service) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func (s *Service) serve(handler http.Handler, record bool) {
	if record {
		handler = s.record(handler)
	}
	s.server = &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go s.server.Serve(s.listener) // returns when the server is shut down
}

func (s *Service) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			fail(w, http.StatusBadRequest, "the body could not be read")
			return
		}
		s.mu.Lock()
		s.requests = append(s.requests, Request{r.Method, r.RequestURI, r.Header.Clone(), body})
		s.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

const maxBody = 1 << 20 // bytes

// read decodes the request's JSON body into v, or answers 400. Names that v
// doesn't have are ignored, and missing ones stay zero.
func read(w http.ResponseWriter, r *http.Request, v any) bool {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(v)
	if err != nil {
		fail(w, http.StatusBadRequest, "the body is not the JSON that was expected")
	}
	return err == nil
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // fails only if the client has gone
}

func fail(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]string{"error": message})
}

// client calls the other services.
var client = &http.Client{Timeout: 5 * time.Second}

// call sends body as JSON, if there is one, with the caller's token, if there
// is one, and leaves closing the response's body to the caller.
func call(ctx context.Context, method, url, authorization string, body any) (*http.Response, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	return client.Do(req)
}
