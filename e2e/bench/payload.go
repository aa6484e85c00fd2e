package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// spec describes what every row's requests have to be like.
//
//go:embed spec.yaml
var spec []byte

// row is one kind of request, sent again and again.
type row struct {
	name    string
	method  string
	target  string
	headers [][2]string
	body    []byte
	answer  []byte // the upstream's
}

// rows are all that is sent. Of their answers only the last one's has a schema.
func rows() []row {
	quote := post("both 0.9 KB", 900)
	quote.target, quote.answer = "/quotes", quote.body
	return append(requests(), quote)
}

func requests() []row {
	return []row{
		{
			name:    "GET",
			method:  "GET",
			target:  "/customers/0b9fd2ad-9c3c-4e26-8f6b-4a1d7c64c3a1/orders?status=shipped&since=2026-03-01T00:00:00Z&limit=50",
			headers: [][2]string{{"x-tenant", "northwind-eu"}},
			answer:  []byte("{}"),
		},
		post("POST 0.9 KB", 900),
		post("POST 8.7 KB", 8_700),
		post("POST 100 KB", 100_000),
	}
}

func post(name string, size int) row {
	return row{name, "POST", "/orders", [][2]string{{"content-type", "application/json"}}, order(size), []byte("{}")}
}

type contact struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone"`
}

type address struct {
	Street   string `json:"street"`
	City     string `json:"city"`
	Postcode string `json:"postcode"`
	Country  string `json:"country"`
}

type item struct {
	SKU       string      `json:"sku"`
	Name      string      `json:"name"`
	Quantity  int         `json:"quantity"`
	Price     json.Number `json:"price"`
	TaxRate   json.Number `json:"taxRate"`
	Available string      `json:"available"`
	Backorder bool        `json:"backorder"`
	Tags      []string    `json:"tags"`
}

type document struct {
	Customer  string  `json:"customer"`
	Reference string  `json:"reference"`
	Placed    string  `json:"placed"`
	Currency  string  `json:"currency"`
	Channel   string  `json:"channel"`
	Gift      bool    `json:"gift"`
	Note      string  `json:"note"`
	Contact   contact `json:"contact"`
	Billing   address `json:"billing"`
	Shipping  address `json:"shipping"`
	Items     []item  `json:"items"`
}

// order is a valid order of size bytes: as many items as fit, and a note that
// fills the rest.
func order(size int) []byte {
	d := document{
		Customer: "0b9fd2ad-9c3c-4e26-8f6b-4a1d7c64c3a1", Reference: "PO-2026-004711", Placed: "2026-03-01T09:30:00Z",
		Currency: "EUR", Channel: "web",
		Contact:  contact{"Zoë Müller", "zoe.mueller@example.com", "+4930123456"},
		Billing:  address{"Lange Straße 17", "Hamburg", "20095", "DE"},
		Shipping: address{"Rue de l'Église 4", "Genève", "1204", "CH"},
	}
	var fitting []byte
	for i := 0; ; i++ {
		d.Items = append(d.Items, item{
			SKU: fmt.Sprintf("KTN-%05d", 10_000+i), Name: fmt.Sprintf("Stoneware bowl, glazed, no. %d", i+1),
			Quantity: 1 + i%12, Price: json.Number(fmt.Sprintf("%d.%02d", 12+i%80, i%100)), TaxRate: "0.19",
			Available: fmt.Sprintf("2026-%02d-%02d", 4+i%8, 1+i%28), Backorder: i%3 == 0, Tags: []string{"fragile", "sale"},
		})
		grown := encode(d)
		if len(grown) > size {
			break
		}
		fitting = grown
	}
	const empty = `"note":""`
	note := strings.Repeat("Please leave it with the neighbours. ", 1+(size-len(fitting))/37)[:size-len(fitting)]
	return bytes.Replace(fitting, []byte(empty), fmt.Appendf(nil, `"note":"%s"`, note), 1)
}

// smallOrder has what an order must have and little else.
const smallOrder = `{"customer":"0b9fd2ad-9c3c-4e26-8f6b-4a1d7c64c3a1","reference":"PO-2026-004711","currency":"EUR",` +
	`"items":[{"sku":"KTN-10000","quantity":2,"price":12.5},{"sku":"KTN-10001","quantity":1,"price":8}]}`

func smallPost() row {
	r := post(fmt.Sprintf("POST %d B", len(smallOrder)), 0)
	r.body = []byte(smallOrder)
	return r
}

func encode(d document) []byte {
	data, err := json.Marshal(d)
	if err != nil {
		panic(err) // plain data
	}
	return data
}

// wire is the request as it is sent.
func (r *row) wire() []byte {
	b := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nhost: orders.example\r\nuser-agent: bench\r\naccept: application/json\r\n", r.method, r.target)
	for _, h := range r.headers {
		b = fmt.Appendf(b, "%s: %s\r\n", h[0], h[1])
	}
	if r.body != nil {
		b = fmt.Appendf(b, "content-length: %d\r\n", len(r.body))
	}
	return append(append(b, "\r\n"...), r.body...)
}

// request is the row as a server has it.
func (r *row) request() *http.Request {
	q, err := http.NewRequest(r.method, "http://orders.example"+r.target, bytes.NewReader(r.body))
	if err != nil {
		panic(err) // a row of ours
	}
	for _, h := range r.headers {
		q.Header.Set(h[0], h[1])
	}
	return q
}
