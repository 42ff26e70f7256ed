package llm

import "context"

type roundKey struct{}

// WithRound says of what is asked under the context how often it was asked in vain before,
// in calls of their own: nothing that answers for real looks at it, and no key holds it.
func WithRound(ctx context.Context, n int) context.Context {
	if n == 0 {
		return ctx
	}
	return context.WithValue(ctx, roundKey{}, n)
}

// RoundFrom finds how often it was asked in vain before; 0 where nobody says.
func RoundFrom(ctx context.Context) int {
	n, _ := ctx.Value(roundKey{}).(int)
	return n
}
