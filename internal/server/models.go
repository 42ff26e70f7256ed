package server

import (
	"net/http"
	"slices"
)

// modelBody is a model as OpenAI lists it.
type modelBody struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Owner   string `json:"owned_by"`
}

// cards are what the caller may name as a model: models, routes and prompts.
func (x *exchange) cards() []ModelCard {
	var cards []ModelCard
	for _, card := range x.runtime.Models {
		if x.caller.Models == nil || slices.Contains(x.caller.Models, card.Name) {
			cards = append(cards, card)
		}
	}
	for _, p := range x.runtime.Prompts.List() {
		if x.caller.Prompts == nil || slices.Contains(x.caller.Prompts, p.Name) {
			cards = append(cards, ModelCard{promptPrefix + p.Name, "prompt"})
		}
	}
	return cards
}

// models answers GET /v1/models.
func (s *Server) models(x *exchange) error {
	list := struct {
		Object string      `json:"object"`
		Data   []modelBody `json:"data"`
	}{"list", []modelBody{}}
	for _, card := range x.cards() {
		list.Data = append(list.Data, modelBody{ID: card.Name, Object: "model", Owner: card.Owner})
	}
	return x.json(http.StatusOK, list)
}

// model answers GET /v1/models/{name}.
func (s *Server) model(x *exchange) error {
	name := x.r.PathValue("name")
	for _, card := range x.cards() {
		if card.Name == name {
			return x.json(http.StatusOK, modelBody{ID: card.Name, Object: "model", Owner: card.Owner})
		}
	}
	return refusalOf(http.StatusNotFound, "model_not_found", "model", "there is no model %q; GET /v1/models lists them", name)
}
