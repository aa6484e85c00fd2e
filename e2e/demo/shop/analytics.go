package shop

import (
	"net/http"
	"sync"
	"time"
)

// event is something that happened. At is when.
type event struct {
	Type  string
	At    time.Time
	Total *money
}

type analytics struct {
	mu     sync.Mutex
	events []event
}

func newAnalytics() http.Handler {
	s := &analytics{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /events", s.collect)
	mux.HandleFunc("GET /reports/{day}", s.report)
	return mux
}

func (s *analytics) collect(w http.ResponseWriter, r *http.Request) {
	var given struct{ Events []event }
	if !read(w, r, &given) {
		return
	}
	s.mu.Lock()
	s.events = append(s.events, given.Events...)
	s.mu.Unlock()
	reply(w, http.StatusAccepted, map[string]int{"accepted": len(given.Events)})
}

func (s *analytics) report(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	day, views, placed, revenue := r.PathValue("day"), 0, 0, money{Currency: "EUR"}
	for _, e := range s.events {
		switch {
		case e.At.UTC().Format(time.DateOnly) != day:
		case e.Type == "pageView":
			views++
		case e.Type == "orderPlaced" && e.Total != nil:
			placed++
			revenue.Amount += e.Total.Amount
		}
	}
	reply(w, http.StatusOK, map[string]any{"day": day, "pageViews": views, "orders": placed, "revenue": revenue})
}
