package shop

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/threatgate/threatgate/e2e/demo/token"
)

// money is an amount in minor units: 1450 EUR cents are 14.50 euros.
type money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// order is an order as version 2 of the API shows it.
type order struct {
	ID        string      `json:"id"` // customer-number
	Customer  string      `json:"customer"`
	Status    string      `json:"status"`
	Items     []orderItem `json:"items"`
	Total     money       `json:"total"`
	PlacedAt  time.Time   `json:"placedAt"`
	GiftNote  *string     `json:"giftNote"`
	ShipTo    *address    `json:"shipTo,omitempty"`
	CardToken string      `json:"cardToken,omitempty"` // weakness: of no use to a client
	Notes     string      `json:"internalNotes,omitempty"`

	number int
}

type orderItem struct {
	SKU      string      `json:"sku"`
	Quantity json.Number `json:"quantity"` // as sent: 2 and "2" are the same here
}

type address struct {
	Name     string `json:"name"`
	Street   string `json:"street"`
	Postcode string `json:"postcode"`
	City     string `json:"city"`
	Country  string `json:"country"`
}

// newOrder is what a client sends. A payment that isn't there is nil.
type newOrder struct {
	Items   []orderItem
	Payment *struct {
		Method    string
		CardToken string
	}
	ShipTo   *address
	GiftNote *string
}

type orders struct {
	paymentsURL, analyticsURL string

	mu  sync.Mutex
	all []*order // by number; the first is firstNumber
}

const firstNumber = 1001

func newOrders(paymentsURL, analyticsURL string) http.Handler {
	s := &orders{paymentsURL: paymentsURL, analyticsURL: analyticsURL}
	for _, seed := range []struct{ customer, sku, card, notes string }{
		{"alice", "TEA-0001", "tok_4f9a1c07b2d8e635", "asked twice about the delivery date"},
		{"bob", "CUP-0001", "tok_b81e6d20c7f45a93", "card declined at first; check before shipping"},
		{"alice", "COF-0002", "", "pays late"},
	} {
		items := []orderItem{{seed.sku, "1"}}
		total, _ := price(items) // the seeds' articles exist
		s.add(&order{
			Customer: seed.customer, Status: "shipped", Items: items, Total: total,
			PlacedAt: time.Now().Add(-48 * time.Hour).UTC().Truncate(time.Second), CardToken: seed.card, Notes: seed.notes,
		})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2/orders", s.list)
	mux.HandleFunc("POST /v2/orders", s.place)
	mux.HandleFunc("/v2/orders/{orderId}", s.get) // weakness: whatever the method
	mux.HandleFunc("POST /v2/orders/{orderId}/cancel", s.cancel)
	mux.HandleFunc("GET /v2/customers/{customerId}/orders", s.listOfCustomer)
	mux.HandleFunc("GET /v1/orders", s.listV1)
	mux.HandleFunc("GET /v1/orders/{orderId}", s.getV1)
	mux.HandleFunc("PATCH /v1/orders/{orderId}", s.updateV1)
	mux.HandleFunc("GET /debug/vars", s.debug)
	return mux
}

// add numbers the order and keeps it. Numbers are sequential, so that whoever
// knows one order knows where the others are.
func (s *orders) add(o *order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.number = firstNumber + len(s.all)
	o.ID = fmt.Sprintf("%s-%d", o.Customer, o.number)
	s.all = append(s.all, o)
}

// find returns a copy of the first order that match accepts.
func (s *orders) find(match func(*order) bool) (order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.all, match)
	if i < 0 {
		return order{}, false
	}
	return *s.all[i], true
}

// of returns copies of the customer's orders that have one of the statuses,
// or any if there are none. Notes are for the staff.
func (s *orders) of(customer string, statuses []string) []order {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []order{}
	for _, o := range s.all {
		if o.Customer == customer && (len(statuses) == 0 || slices.Contains(statuses, o.Status)) {
			copied := *o
			copied.Notes = ""
			found = append(found, copied)
		}
	}
	return found
}

// caller says who sent the request. Weakness: the header of an old internal
// proxy comes before the token, and anybody can send it.
func caller(r *http.Request) string {
	if user := r.Header.Get("X-User-Id"); user != "" {
		return user
	}
	claims, _ := token.Read(r.Header.Get("Authorization"))
	return claims.Subject
}

func (s *orders) list(w http.ResponseWriter, r *http.Request) {
	customer := caller(r)
	if customer == "" {
		fail(w, http.StatusUnauthorized, "log in first")
		return
	}
	query := r.URL.Query()
	found := s.of(customer, query["status"])
	reply(w, http.StatusOK, map[string]any{"orders": found[:min(positive(query.Get("limit"), 20), len(found))]})
}

// listOfCustomer returns anybody's orders. Weakness: it doesn't ask whose.
func (s *orders) listOfCustomer(w http.ResponseWriter, r *http.Request) {
	reply(w, http.StatusOK, map[string]any{"orders": s.of(r.PathValue("customerId"), nil)})
}

// get returns an order. Weakness: to anybody who knows its id; and with a
// parameter that is in no specification, the staff's notes as well.
func (s *orders) get(w http.ResponseWriter, r *http.Request) {
	o, ok := s.find(func(o *order) bool { return o.ID == r.PathValue("orderId") })
	if !ok {
		fail(w, http.StatusNotFound, "no such order")
		return
	}
	if !r.URL.Query().Has("internal") {
		o.Notes = ""
	}
	reply(w, http.StatusOK, o)
}

// place takes an order. Weakness: it checks neither that there is a payment
// nor that quantities are positive; the specification demands both.
func (s *orders) place(w http.ResponseWriter, r *http.Request) {
	customer := caller(r)
	if customer == "" {
		fail(w, http.StatusUnauthorized, "log in first")
		return
	}
	var given newOrder
	if !read(w, r, &given) {
		return
	}
	total, ok := price(given.Items)
	if !ok {
		fail(w, http.StatusUnprocessableEntity, "no such product, or no quantity of it")
		return
	}
	o := &order{
		Customer: customer, Status: "placed", Items: given.Items, Total: total,
		PlacedAt: time.Now().UTC().Truncate(time.Second), GiftNote: given.GiftNote, ShipTo: given.ShipTo,
	}
	if p := given.Payment; p != nil {
		o.CardToken = p.CardToken
		res, err := call(r.Context(), "POST", s.paymentsURL+"/payments", r.Header.Get("Authorization"), paymentFor(total, p.Method, p.CardToken))
		if err != nil {
			fail(w, http.StatusBadGateway, "payments can't be reached")
			return
		}
		res.Body.Close()
		if res.StatusCode != http.StatusCreated {
			fail(w, http.StatusPaymentRequired, "the payment was refused")
			return
		}
	}
	s.add(o)
	// Statistics are welcome, not needed: without them the order still stands.
	event := map[string]any{"type": "orderPlaced", "at": o.PlacedAt, "items": len(o.Items), "total": total}
	if res, err := call(r.Context(), "POST", s.analyticsURL+"/events", "", map[string]any{"events": []any{event}}); err == nil {
		res.Body.Close()
	}
	w.Header().Set("Location", "/v2/orders/"+o.ID)
	reply(w, http.StatusCreated, o)
}

// paymentFor is the body of a request to payments.
func paymentFor(total money, method, card string) map[string]any {
	payment := map[string]any{"amount": total, "method": method}
	if card != "" {
		payment["cardToken"] = card
	}
	return payment
}

// price sums up the items; false if one has no number or isn't in the
// catalogue.
func price(items []orderItem) (money, bool) {
	total := money{Currency: "EUR"}
	for _, item := range items {
		i := slices.IndexFunc(catalogue, func(p product) bool { return p.SKU == item.SKU })
		quantity, err := item.Quantity.Int64()
		if i < 0 || err != nil {
			return money{}, false
		}
		total.Amount += catalogue[i].Price * quantity
	}
	return total, true
}

func (s *orders) cancel(w http.ResponseWriter, r *http.Request) {
	var given struct{ Reason string }
	if !read(w, r, &given) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.all, func(o *order) bool { return o.ID == r.PathValue("orderId") && o.Customer == caller(r) })
	switch {
	case i < 0:
		fail(w, http.StatusNotFound, "no such order")
	case s.all[i].Status != "placed":
		fail(w, http.StatusConflict, "the order is under way")
	default:
		s.all[i].Status = "cancelled"
		w.WriteHeader(http.StatusNoContent)
	}
}

// orderV1 is an order as version 1 shows it, which was to be retired when
// version 2 came.
type orderV1 struct {
	ID       int     `json:"id"`
	Customer string  `json:"customer"`
	Status   string  `json:"status"`
	Total    float64 `json:"total"` // euros
}

func v1(o order) orderV1 {
	return orderV1{o.number, o.Customer, o.Status, float64(o.Total.Amount) / 100}
}

func (s *orders) listV1(w http.ResponseWriter, r *http.Request) {
	found := []orderV1{}
	for _, o := range s.of(caller(r), nil) {
		found = append(found, v1(o))
	}
	reply(w, http.StatusOK, found[:min(positive(r.URL.Query().Get("page_size"), 20), len(found))])
}

func (s *orders) getV1(w http.ResponseWriter, r *http.Request) {
	o, ok := s.find(byNumber(r))
	if !ok {
		fail(w, http.StatusNotFound, "no such order")
		return
	}
	reply(w, http.StatusOK, v1(o))
}

// updateV1 changes an order. Weakness: anybody's, its status and total too.
func (s *orders) updateV1(w http.ResponseWriter, r *http.Request) {
	var given struct {
		Status *string
		Total  *float64
	}
	if !read(w, r, &given) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.all, byNumber(r))
	if i < 0 {
		fail(w, http.StatusNotFound, "no such order")
		return
	}
	if given.Status != nil {
		s.all[i].Status = *given.Status
	}
	if given.Total != nil {
		s.all[i].Total.Amount = int64(*given.Total * 100)
	}
	reply(w, http.StatusOK, v1(*s.all[i]))
}

// byNumber matches the order that a path of version 1 names.
func byNumber(r *http.Request) func(*order) bool {
	number, err := strconv.Atoi(r.PathValue("orderId"))
	return func(o *order) bool { return err == nil && o.number == number }
}

// debug shows the inside of the process. Weakness: it is in no
// specification, and it is there.
func (s *orders) debug(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reply(w, http.StatusOK, map[string]any{
		"goroutines": runtime.NumGoroutine(),
		"orders":     len(s.all),
		"payments":   s.paymentsURL,
	})
}
