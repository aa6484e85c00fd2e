// Package admin is the control plane's HTTP interface for the people and the
// monitoring on its own machine.
//
//	GET /healthz        open
//	GET /metrics        open; Prometheus
//	GET /v1/status      what is served, in which modes, and which node has it
//	PUT /v1/modes       sets a mode: {"api": "", "operation": "", "mode": "shadow"}
//	GET /v1/violations  those from now on, a JSON object a line
//
// All that is not open needs the bearer token that each start writes to a
// file of the user's. The server listens on loopback alone, and answers no
// request that a web page could have caused: Host must be a loopback name,
// and Origin, where there is one, the same (DNS rebinding, CSRF).
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"github.com/threatgate/threatgate/controlplane/rollout"
	"github.com/threatgate/threatgate/internal/policy"
	"github.com/threatgate/threatgate/internal/violation"
)

const (
	maxBody     = 4 << 10          // bytes of a request
	ackTimeout  = 15 * time.Second // for a change of modes
	keepalive   = 15 * time.Second // between empty lines of a stream with no news
	writeLimit  = 10 * time.Second // for one line of a stream
	stopTimeout = 2 * time.Second  // for requests in flight
)

// Config is what the interface shows.
type Config struct {
	Rollout *rollout.Rollout
	Feed    *Feed
	Metrics prometheus.Gatherer
	Version string
	Log     *zap.Logger
}

// Listener is an open admin address and the token of those who may use it.
type Listener struct {
	net.Listener
	token, tokenFile string
}

// Listen opens the admin address, which must be on loopback, and writes a new
// token to tokenFile.
func Listen(address, tokenFile string) (*Listener, error) {
	tcp, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("admin address: %w", err)
	}
	if !tcp.IP.IsLoopback() {
		return nil, fmt.Errorf("admin address %s: not on loopback; the interface has no TLS", address)
	}
	l, err := net.ListenTCP("tcp", tcp)
	if err != nil {
		return nil, fmt.Errorf("admin address: %w; --admin names another", err)
	}
	token, err := newToken(tokenFile)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("admin token %s: %w", tokenFile, err), l.Close())
	}
	return &Listener{l, token, tokenFile}, nil
}

// Close closes the address and removes the token's file. It may be called
// more than once.
func (l *Listener) Close() error {
	err := l.Listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(err, forget(l.tokenFile, l.token))
}

// Serve answers until ctx is done, and closes the listener.
func (l *Listener) Serve(ctx context.Context, config Config) error {
	config.Log.Info("admin interface", zap.String("address", "http://"+l.Addr().String()), zap.String("token file", l.tokenFile))
	streams, endStreams := context.WithCancel(context.Background())
	defer endStreams()
	s := &http.Server{
		Handler:           handler(config, l.token),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		BaseContext:       func(net.Listener) context.Context { return streams },
		ErrorLog:          zap.NewStdLog(config.Log),
	}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return errors.Join(err, l.Close())
	case <-ctx.Done():
	}
	endStreams()
	stop, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var err error
	if s.Shutdown(stop) != nil {
		err = s.Close()
	}
	return errors.Join(err, l.Close())
}

// api are the handlers.
type api struct{ Config }

func handler(config Config, token string) http.Handler {
	a := &api{config}
	locked := http.NewServeMux()
	locked.HandleFunc("GET /v1/status", a.status)
	locked.HandleFunc("PUT /v1/modes", a.setMode)
	locked.HandleFunc("GET /v1/violations", a.violations)

	open := http.NewServeMux()
	open.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	open.Handle("GET /metrics", promhttp.HandlerFor(config.Metrics, promhttp.HandlerOpts{
		ErrorLog:      zap.NewStdLog(config.Log),
		ErrorHandling: promhttp.ContinueOnError,
	}))
	open.Handle("/", withToken(token, locked))
	return fromHere(open)
}

// fromHere refuses what a web page, of whatever name, could make a browser
// send here.
func fromHere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		switch {
		case !isLoopback(r.Host):
			fail(w, http.StatusForbidden, "the host is not a loopback name")
		case origin != "" && origin != "http://"+r.Host:
			fail(w, http.StatusForbidden, "the origin is another")
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Cache-Control", "no-store")
			next.ServeHTTP(w, r)
		}
	})
}

// isLoopback takes a Host field: a name or address, with or without a port.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
	}
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

func withToken(token string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !bears(r.Header.Get("Authorization"), token) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="threatgate"`)
			fail(w, http.StatusUnauthorized, "Authorization: Bearer is needed, with the token in the file that was named at start")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Status is the answer to GET /v1/status.
type Status struct {
	Version string `json:"version"`
	rollout.Status
}

func (a *api) status(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, Status{a.Version, a.Rollout.Status()})
}

// Reset stands for a mode in a ModeChange that takes back what was set.
const Reset = "reset"

// ModeChange is the body of PUT /v1/modes; see rollout.ModeChange.
type ModeChange struct {
	API       string `json:"api"`
	Operation string `json:"operation"`
	Mode      string `json:"mode"` // "reset" takes back what was set
}

// ModeResult is the answer to PUT /v1/modes.
type ModeResult struct {
	APIs      []rollout.API         `json:"apis"`      // that were changed, as they are now
	Following []policy.OperationKey `json:"following"` // that had a mode of their own, and now have that of their API
	Nodes     int                   `json:"nodes"`     // connected, all of which have accepted it
	Target    policy.OperationKey   `json:"target"`    // what the change was about
}

func (a *api) setMode(w http.ResponseWriter, r *http.Request) {
	var change ModeChange
	if err := readJSON(r, &change); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	wanted := rollout.ModeChange{API: change.API, Operation: change.Operation}
	if change.Mode != Reset {
		mode, ok := violation.ParseMode(change.Mode)
		if !ok {
			fail(w, http.StatusBadRequest, `"mode" must be shadow, enforce, off or reset`)
			return
		}
		wanted.Mode = &mode
	}
	log := a.Log.With(zap.String("api", change.API), zap.String("operation", change.Operation),
		zap.String("mode", change.Mode), zap.String("client", r.RemoteAddr))
	ctx, cancel := context.WithTimeout(r.Context(), ackTimeout)
	defer cancel()
	result, err := a.Rollout.SetMode(ctx, wanted)
	switch refused := (rollout.ErrMode{}); {
	case errors.As(err, &refused):
		log.Warn("mode not changed", zap.Error(err))
		fail(w, http.StatusConflict, err.Error())
	case err != nil:
		log.Error("mode changed, not accepted everywhere", zap.Error(err))
		fail(w, http.StatusBadGateway, err.Error())
	default:
		log.Info("mode changed", zap.Int("nodes", result.Nodes))
		answer(w, http.StatusOK, ModeResult(*result))
	}
}

// readJSON reads one JSON object with no other fields than v's. A browser
// can't send its content type across origins without asking first.
func readJSON(r *http.Request, v any) error {
	if r.Header.Get("Content-Type") != "application/json" {
		return errors.New("the content type must be application/json")
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return fmt.Errorf("the body is malformed: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("the body is malformed: more than one JSON value")
	}
	return nil
}

// missed stands in a stream of violations for those that were too many.
type missed struct {
	Missed int `json:"missed"`
}

func (a *api) violations(w http.ResponseWriter, r *http.Request) {
	l := a.Feed.listen()
	defer a.Feed.leave(l)
	stream := http.NewResponseController(w)
	w.Header().Set("Content-Type", "application/x-ndjson")
	encoder := json.NewEncoder(w)
	quiet := time.NewTicker(keepalive)
	defer quiet.Stop()
	err := stream.Flush()
	for err == nil {
		var next *Violation
		select {
		case <-r.Context().Done():
			return
		case v := <-l.violations:
			next = &v
		case <-quiet.C:
		}
		// Each line has a limit of its own: that of the last has passed.
		if err = stream.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
			return
		}
		if next != nil {
			err = encoder.Encode(next)
		} else {
			_, err = io.WriteString(w, "\n")
		}
		if n := a.Feed.takeMissed(l); n > 0 && err == nil {
			err = encoder.Encode(missed{n})
		}
		if len(l.violations) == 0 && err == nil {
			err = stream.Flush()
		}
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.Encode(v) // an error means that the client has gone
}

// failure is the body of every answer that is an error.
type failure struct {
	Error string `json:"error"`
}

func fail(w http.ResponseWriter, status int, reason string) { answer(w, status, failure{reason}) }
