package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// normalCDF is P(Z ≤ z) of the standard normal distribution.
func normalCDF(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// normalQuantile is the z with P(Z ≤ z) = p, 0 < p < 1.
func normalQuantile(p float64) float64 { return mathext.NormalQuantile(p) }
