package api

import (
	"context"
	"net/http"
	"time"

	"payscand/api/client"
)

// readyTimeout bounds the question whether the terminal's loop turns.
const readyTimeout = 2 * time.Second

type terminalOutput struct{ Body client.Terminal }

type healthOutput struct{ Body client.Health }

func (s *Server) addStatus() {
	register(s, operation{
		method: http.MethodGet, path: "/v1/terminal", id: "getTerminal", roles: registers,
		summary: "The state of the terminal", errors: []int{503},
		description: "The live sale, the scanners, the gateways and what needs a person's eye.",
	}, s.getTerminal)
	register(s, operation{
		method: http.MethodGet, path: "/healthz", id: "getHealth", public: true,
		summary: "The program answers", description: "Needs no token and says nothing of sales.",
	}, func(context.Context, *request, *struct{}) (*healthOutput, *problem) {
		return &healthOutput{Body: client.Health{Status: "ok"}}, nil
	})
	register(s, operation{
		method: http.MethodGet, path: "/readyz", id: "getReadiness", public: true, errors: []int{503},
		summary: "The terminal answers and is not shutting down", description: "Needs no token and says nothing of sales. A gateway that is down does not count: see GET /v1/terminal.",
	}, s.getReadiness)
}

func (s *Server) getTerminal(ctx context.Context, _ *request, _ *struct{}) (*terminalOutput, *problem) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	seq, epoch := s.terminal.Head() // before the state, so that no event after it is missing in both
	status, err := s.terminal.Status(ctx)
	if err != nil {
		return nil, s.refusal(ctx, "GET /v1/terminal", err)
	}
	state := s.wireTerminal(status)
	state.LastEventID, state.Unauthenticated = eventID(epoch, seq), s.Unauthenticated()
	return &terminalOutput{Body: state}, nil
}

func (s *Server) getReadiness(ctx context.Context, _ *request, _ *struct{}) (*healthOutput, *problem) {
	if s.stopping.Err() != nil {
		return nil, newProblem(client.CodeStopping, "")
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if _, err := s.terminal.Status(ctx); err != nil {
		return nil, s.refusal(ctx, "GET /readyz", err)
	}
	return &healthOutput{Body: client.Health{Status: "ok"}}, nil
}
