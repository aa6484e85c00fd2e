package admin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
)

// Client talks to the admin interface of a running control plane.
type Client struct {
	address          string
	token, tokenFile string
	transport        http.Transport // its zero value goes straight: neither proxies nor redirects
}

// NewClient makes a client for the control plane at address ("host:port"),
// whose token is in tokenFile.
func NewClient(address, tokenFile string) (*Client, error) {
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return nil, err
	}
	c := &Client{address: address, token: strings.TrimSpace(string(token)), tokenFile: tokenFile}
	c.transport.DisableKeepAlives = true
	return c, nil
}

// Status asks what is served, in which modes, and which node has it.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	response, err := c.do(ctx, http.MethodGet, "/v1/status", nil)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	status := &Status{}
	return status, json.NewDecoder(response.Body).Decode(status)
}

// SetMode sets a mode.
func (c *Client) SetMode(ctx context.Context, change ModeChange) (*ModeResult, error) {
	body, err := json.Marshal(change)
	if err != nil {
		return nil, err
	}
	response, err := c.do(ctx, http.MethodPut, "/v1/modes", body)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	result := &ModeResult{}
	return result, json.NewDecoder(response.Body).Decode(result)
}

// Violations calls each for every violation from now on, and lost where some
// were too many to be sent, until ctx is done or the control plane stops.
func (c *Client) Violations(ctx context.Context, each func(Violation), lost func(int)) error {
	response, err := c.do(ctx, http.MethodGet, "/v1/violations", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Violation
			missed
		}
		switch err := json.Unmarshal(lines.Bytes(), &line); {
		case len(lines.Bytes()) == 0:
		case err != nil:
			return err
		case line.Missed > 0:
			lost(line.Missed)
		default:
			each(line.Violation)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(errors.New("the control plane has ended the stream"), lines.Err())
}

func (c *Client) do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+c.address+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.transport.RoundTrip(request)
	if dial := (*net.OpError)(nil); errors.As(err, &dial) && dial.Op == "dial" {
		return nil, fmt.Errorf("no control plane answers at %s: %w", c.address, err)
	}
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusUnauthorized {
		return nil, fmt.Errorf("the token in %s is not that of the control plane at %s", c.tokenFile, c.address)
	}
	var refusal failure
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&refusal); err != nil {
		return nil, fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return nil, errors.New(refusal.Error)
}
