package scorer

import "github.com/llmx-dev/llmx/internal/eval"

// judgedBy ends what the help says of a check's arguments.
const judgedBy = "judge: a model or route (default: judge: of the suite); prompt: another judge prompt than "

func judgeDocs() []Doc {
	const article = "Refunds take five days. They go back to the card that was charged."
	asked := func(answer string) eval.Subject {
		return eval.Subject{Answer: answer, Vars: map[string]any{"message": "When do I get my money back?"}}
	}
	right := func(answer string) eval.Subject {
		s := asked(answer)
		s.Golden = &eval.Golden{Value: "Within five days."}
		return s
	}
	return []Doc{
		{"similarity", topicJudges, "the cosine of the vectors of the answer and the text (of the best of a list) reaches the threshold; a cosine below 0 counts as 0. The vectors of a simulated model know words and no meaning",
			"model: one that makes embeddings (required); value, without one the golden answer; threshold (default 0.8); extract",
			"similarity: {value: the refund takes five days, model: embed-small, threshold: 0.7}", text("five days the refund takes"), text("I do not know that")},
		{"rubric", topicJudges, "the score from 0 to 1 that a judge gives by the rubric reaches the threshold. Its reasons stand beside the score",
			"rubric, or the text alone; " + judgedBy + "judge-rubric, which is given rubric, answer and question, and answers {reasons, score}; threshold (default 0.7); extract",
			`rubric: {rubric: "Polite, and names a number of days", judge: large, threshold: 0.7, metric: polite}`, asked("It takes five days. Sorry for the wait!"), asked("Wait and see.")},
		{"criteria", topicJudges, "the share of criteria of which a judge says that they are met reaches the threshold. What it says of each stands beside the score",
			"all, or the list alone, of at most 20; " + judgedBy + "judge-criteria, which is given criteria, answer and question, and answers {verdicts: [{criterion, reason, met}]}; threshold (default 1); extract",
			`criteria: {all: ["names a number of days", "does not blame the customer"], judge: large}`, asked("It takes five days."), asked("It takes five days, as you were late.")},
		{"factuality", topicJudges, "a judge finds the facts of the answer to be those of the right one: same scores 1, superset (all, and more) 0.6, subset (some of them) 0.4, contradiction 0",
			"value, or the text alone; without one the golden answer; " + judgedBy + "judge-factuality, which is given reference, answer and question, and answers {reasons, verdict}; threshold (default 0.6); extract",
			"factuality: {judge: large}", right("You have it in five days."), right("You have it in five weeks.")},
		{"faithfulness", topicJudges, "the share of the answer's claims which follow from the context alone, as a judge finds, reaches the threshold; an answer that claims nothing scores 1",
			"context: a text or a list, or that alone; " + judgedBy + "judge-faithfulness, which is given context, answer and question, and answers {claims: [{claim, reason, supported}]}; threshold (default 1); extract",
			`faithfulness: {context: "` + article + `", judge: large}`, asked("It takes five days."), asked("It takes five days, and you get a gift.")},
		{"relevance", topicJudges, "the score from 0 to 1 that a judge gives for how far the answer is one to what was asked reaches the threshold. Whether it is true does not count",
			judgedBy + "judge-relevance, which is given question and answer, and answers {reasons, score}; threshold (default 0.7); extract",
			"relevance: {judge: large, threshold: 0.5}", asked("It takes five days."), asked("We have garden hoses.")},
		{"context_precision", topicJudges, "of a context that was searched for: the average precision of its passages in their order, as a judge finds them of use for the right answer, reaches the threshold",
			"context: a list in the order of the search, or that alone; value, without one the golden answer; " + judgedBy + "judge-context_precision, which is given context, reference, answer and question, and answers {verdicts: [{passage, reason, useful}]}; threshold (default 0.7)",
			`context_precision: {context: ["Refunds take five days.", "We sell hoses."], value: Within five days., judge: large}`, asked("five days"), eval.Subject{Broken: "not JSON"}},
		{"context_recall", topicJudges, "of a context that was searched for: the share of the right answer's claims that follow from it, as a judge finds, reaches the threshold",
			"context: a text or a list, or that alone; value, without one the golden answer; " + judgedBy + "judge-context_recall, which is given context, reference, answer and question, and answers {claims: [{claim, reason, supported}]}; threshold (default 1)",
			`context_recall: {context: "` + article + `", value: Within five days., judge: large}`, asked("five days"), eval.Subject{Broken: "not JSON"}},
		{"preferred", topicJudges, "a judge prefers the answer over another one. It is asked twice, in both orders: a win (1) is one only where both agree, a loss in both scores 0, all else 0.5",
			"over: the other answer, or that alone; without it the golden answer; " + judgedBy + "judge-preferred, which is given question, first and second, and answers {reasons, preferred: first, second or tie}; threshold (default 1; 0.5 lets ties pass); extract",
			"preferred: {over: Please be patient., judge: large}", asked("It takes five days."), asked("Please be patient, dear.")},
	}
}
