package shop

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/threatgate/threatgate/e2e/demo/token"
)

// product is an article of the catalogue. Prices are in cents.
type product struct {
	SKU      string   `json:"sku"`
	Name     string   `json:"name"`
	Category string   `json:"category"`
	Price    int64    `json:"price"`
	Tags     []string `json:"tags"`
}

var catalogue = []product{
	{"TEA-0001", "Darjeeling, first flush", "tea", 1450, []string{"organic"}},
	{"TEA-0002", "Sencha", "tea", 990, []string{"green", "organic"}},
	{"COF-0001", "Yirgacheffe, whole beans", "coffee", 1290, []string{"organic"}},
	{"COF-0002", "Espresso, ground", "coffee", 890, []string{}},
	{"CUP-0001", "Porcelain cup", "ware", 1800, []string{"handmade"}},
	{"CUP-0002", "Enamel mug", "ware", 1200, []string{}},
}

// user is an account. What a client may change of it is for the
// specification to say: the handlers decode into the whole.
type user struct {
	Username   string  `json:"username"`
	Role       string  `json:"role"` // customer, support or admin
	Email      string  `json:"email"`
	FullName   string  `json:"fullName"`
	Phone      *string `json:"phone"`
	Language   string  `json:"language"`
	Newsletter bool    `json:"newsletter"`

	password string
	scope    string
}

const customerScope = "orders:read orders:write payments:write"

type storefront struct {
	signer    token.Signer
	ordersURL string

	mu      sync.Mutex
	users   map[string]*user
	baskets map[string]json.RawMessage
}

func newStorefront(signer token.Signer, ordersURL string) http.Handler {
	s := &storefront{signer: signer, ordersURL: ordersURL, users: map[string]*user{}, baskets: map[string]json.RawMessage{}}
	for _, u := range []user{
		{Username: "alice", Role: "customer", Email: "alice@shop.example", FullName: "Alice Archer", scope: customerScope},
		{Username: "bob", Role: "customer", Email: "bob@shop.example", FullName: "Bob Baker", scope: customerScope},
		{Username: "carol", Role: "support", Email: "carol@shop.example", FullName: "Carol Carter", scope: customerScope + " payments:refund"},
	} {
		u.Language, u.password = "en", u.Username+"-demo"
		s.users[u.Username] = &u
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /products", s.listProducts)
	mux.HandleFunc("GET /products/{sku}", s.getProduct)
	mux.HandleFunc("GET /basket", s.getBasket)
	mux.HandleFunc("PUT /basket", s.putBasket)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("GET /profile", s.profile)
	mux.HandleFunc("PATCH /profile", s.profile)
	mux.HandleFunc("PUT /profile/preferences", s.profile)
	mux.HandleFunc("GET /account/orders", s.toOrders("GET", "/v2/orders"))
	mux.HandleFunc("POST /checkout", s.toOrders("POST", "/v2/orders"))
	return mux
}

func (s *storefront) listProducts(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	found := []product{}
	for _, p := range catalogue {
		if category := query.Get("category"); category != "" && category != p.Category {
			continue
		}
		if !strings.Contains(strings.ToLower(p.Name), strings.ToLower(query.Get("q"))) {
			continue
		}
		if tags := query.Get("tags"); tags != "" && !containsAll(p.Tags, strings.Split(tags, ",")) {
			continue
		}
		found = append(found, p)
	}
	switch query.Get("sort") {
	case "price":
		slices.SortStableFunc(found, func(a, b product) int { return cmp.Compare(a.Price, b.Price) })
	case "-price":
		slices.SortStableFunc(found, func(a, b product) int { return cmp.Compare(b.Price, a.Price) })
	}
	// Weakness: a page may be as large as the client likes.
	page, size := positive(query.Get("page"), 1), positive(query.Get("pageSize"), 20)
	from := min((page-1)*size, len(found))
	reply(w, http.StatusOK, map[string]any{
		"products": found[from:min(from+size, len(found))],
		"page":     page,
		"total":    len(found),
	})
}

func containsAll(have, want []string) bool {
	return !slices.ContainsFunc(want, func(tag string) bool { return !slices.Contains(have, tag) })
}

// positive is the number that text holds, or otherwise if it holds none that
// fits a page number.
func positive(text string, otherwise int) int {
	if n, err := strconv.ParseInt(text, 10, 32); err == nil && n > 0 {
		return int(n)
	}
	return otherwise
}

func (s *storefront) getProduct(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(catalogue, func(p product) bool { return p.SKU == r.PathValue("sku") })
	if i < 0 {
		fail(w, http.StatusNotFound, "no such product")
		return
	}
	reply(w, http.StatusOK, catalogue[i])
}

func (s *storefront) getBasket(w http.ResponseWriter, r *http.Request) {
	basket := json.RawMessage(`{"items":[]}`)
	if cookie, err := r.Cookie("basket"); err == nil {
		s.mu.Lock()
		if kept, ok := s.baskets[cookie.Value]; ok {
			basket = kept
		}
		s.mu.Unlock()
	}
	reply(w, http.StatusOK, basket)
}

func (s *storefront) putBasket(w http.ResponseWriter, r *http.Request) {
	var basket json.RawMessage
	if !read(w, r, &basket) {
		return
	}
	id := newUUID()
	if cookie, err := r.Cookie("basket"); err == nil {
		id = cookie.Value
	}
	s.mu.Lock()
	s.baskets[id] = basket
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "basket", Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	reply(w, http.StatusOK, basket)
}

// login issues a token. Weakness: it counts no attempts.
func (s *storefront) login(w http.ResponseWriter, r *http.Request) {
	var given struct{ Username, Password string }
	if !read(w, r, &given) {
		return
	}
	s.mu.Lock()
	u := s.users[given.Username]
	s.mu.Unlock()
	if u == nil || u.password != given.Password {
		fail(w, http.StatusUnauthorized, "wrong username or password")
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"accessToken": s.signer.Issue(u.Username, u.scope, time.Hour),
		"tokenType":   "Bearer",
		"expiresIn":   3600,
	})
}

// profile returns the caller's account and, if there is a body, changes it
// before. Weakness: the body may set every field of it, the role too.
func (s *storefront) profile(w http.ResponseWriter, r *http.Request) {
	changes := json.RawMessage("{}")
	if r.Method != http.MethodGet && !read(w, r, &changes) {
		return
	}
	claims, _ := token.Read(r.Header.Get("Authorization"))
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[claims.Subject]
	if u == nil {
		fail(w, http.StatusUnauthorized, "log in first")
		return
	}
	changed := *u
	if err := json.Unmarshal(changes, &changed); err != nil {
		fail(w, http.StatusBadRequest, "the body is not the JSON that was expected")
		return
	}
	*u = changed
	reply(w, http.StatusOK, changed)
}

// toOrders hands the request on to the orders service, with the caller's
// token, and its answer back.
func (s *storefront) toOrders(method, path string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body any
		if method != http.MethodGet {
			var text json.RawMessage
			if !read(w, r, &text) {
				return
			}
			body = text
		}
		res, err := call(r.Context(), method, s.ordersURL+path, r.Header.Get("Authorization"), body)
		if err != nil {
			fail(w, http.StatusBadGateway, "orders can't be reached")
			return
		}
		defer res.Body.Close()
		w.Header().Set("Content-Type", res.Header.Get("Content-Type"))
		w.WriteHeader(res.StatusCode)
		io.Copy(w, res.Body) // fails only if one of the ends has gone
	}
}
