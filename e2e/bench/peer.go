package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// validator judges requests with kin-openapi, as its documentation says to.
type validator struct{ router routers.Router }

func newValidator(spec []byte) (*validator, error) {
	// Of the formats in our specification it asserts these only if asked to.
	openapi3.DefineStringFormatValidator("uuid", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC9562))
	openapi3.DefineStringFormatValidator("email", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForEmail))
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(spec)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(loader.Context); err != nil {
		return nil, err
	}
	router, err := gorillamux.NewRouter(doc)
	return &validator{router}, err
}

func (v *validator) validate(r *http.Request) error {
	route, parameters, err := v.router.FindRoute(r)
	if err != nil {
		return err
	}
	return openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request:    r,
		PathParams: parameters,
		Route:      route,
		Options:    &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
}

// peer is the usual way to add such a validator to Envoy: an external
// processor, which is shown the headers and then the whole body.
type peer struct {
	extprocv3.UnimplementedExternalProcessorServer
	validator *validator
}

// servePeer runs the peer on a Unix socket until a signal ends it.
func servePeer(socket string) error {
	v, err := newValidator(spec)
	if err != nil {
		return err
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	extprocv3.RegisterExternalProcessorServer(server, &peer{validator: v})
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		server.Stop()
	}()
	return server.Serve(l)
}

// Process handles one HTTP request.
func (p *peer) Process(stream extprocv3.ExternalProcessor_ProcessServer) error {
	var request *http.Request
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) || status.Code(err) == codes.Canceled {
			return nil
		}
		if err != nil {
			return err
		}
		answer := &extprocv3.ProcessingResponse{}
		whole := true
		switch m := message.Request.(type) {
		case *extprocv3.ProcessingRequest_RequestHeaders:
			if request, err = newRequest(stream.Context(), m.RequestHeaders.Headers.Headers); err != nil {
				return err
			}
			whole = m.RequestHeaders.EndOfStream
			answer.Response = &extprocv3.ProcessingResponse_RequestHeaders{RequestHeaders: &extprocv3.HeadersResponse{}}
		case *extprocv3.ProcessingRequest_RequestBody:
			request.Body = io.NopCloser(bytes.NewReader(m.RequestBody.Body))
			answer.Response = &extprocv3.ProcessingResponse_RequestBody{RequestBody: &extprocv3.BodyResponse{}}
		default:
			return status.Errorf(codes.InvalidArgument, "unexpected %T", m)
		}
		if whole {
			if err := p.validator.validate(request); err != nil {
				answer.Response = &extprocv3.ProcessingResponse_ImmediateResponse{ImmediateResponse: &extprocv3.ImmediateResponse{
					Status: &typev3.HttpStatus{Code: typev3.StatusCode_BadRequest},
					Body:   []byte(err.Error()),
				}}
			}
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

// newRequest is a request as a server would have it, without its body.
func newRequest(ctx context.Context, headers []*corev3.HeaderValue) (*http.Request, error) {
	pseudo := map[string]string{}
	header := make(http.Header, len(headers))
	for _, h := range headers {
		if strings.HasPrefix(h.Key, ":") {
			pseudo[h.Key] = string(h.RawValue)
		} else {
			header.Add(h.Key, string(h.RawValue))
		}
	}
	r, err := http.NewRequestWithContext(ctx, pseudo[":method"], "http://"+pseudo[":authority"]+pseudo[":path"], nil)
	if err != nil {
		return nil, err
	}
	r.Header = header
	return r, nil
}

// peerCommand is the sub-command of this program that is the peer.
const peerCommand = "peer"

func runPeer(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: %s %s SOCKET", os.Args[0], peerCommand)
	}
	return servePeer(args[0])
}
