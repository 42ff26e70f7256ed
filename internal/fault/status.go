package fault

import "net/http"

// StatusClientGone is what a log says of a caller that went away before its answer. It
// is never sent, as there is nobody to send it to.
const StatusClientGone = 499

// statuses are the HTTP statuses that a caller of llmx serve gets. A provider that
// refuses our key, or knows no such model, is our trouble and not the caller's: 502.
var statuses = map[Class]int{
	Usage:    http.StatusBadRequest,
	Missing:  http.StatusServiceUnavailable,
	Store:    http.StatusServiceUnavailable,
	Canceled: StatusClientGone,

	RateLimited:       http.StatusTooManyRequests,
	Overloaded:        http.StatusServiceUnavailable,
	ServerError:       http.StatusBadGateway,
	Network:           http.StatusBadGateway,
	Malformed:         http.StatusBadGateway,
	TimeoutConnect:    http.StatusGatewayTimeout,
	TimeoutFirstToken: http.StatusGatewayTimeout,
	TimeoutIdle:       http.StatusGatewayTimeout,
	TimeoutTotal:      http.StatusGatewayTimeout,
	Budget:            http.StatusTooManyRequests,
	BreakerOpen:       http.StatusServiceUnavailable,
	Auth:              http.StatusBadGateway,
	NotFound:          http.StatusBadGateway,
	BadRequest:        http.StatusBadRequest,
	QuotaExhausted:    http.StatusServiceUnavailable,
	Cut:               http.StatusBadGateway,

	ContextLength: http.StatusBadRequest,
	ContentFilter: http.StatusUnprocessableEntity,
	Length:        http.StatusUnprocessableEntity,
	Contract:      http.StatusUnprocessableEntity,
}

// HTTPStatus maps a class to the status of an HTTP answer. A class that is not in the
// table is a fault of ours: 500.
func (c Class) HTTPStatus() int {
	if status, ok := statuses[c]; ok {
		return status
	}
	return http.StatusInternalServerError
}
