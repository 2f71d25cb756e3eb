import HidraPlugin

let plugin = try await TaskPlugin.connect(name: "praise", version: "1.0")
try await plugin.prepare(encoder: "minilm")

let texts = ["It works at last, thank you!", "Third time I write about the same bill.", /* … */]
let tones = ["praise", "complaint", /* … */]
let rows = try await plugin.upload([("text", texts), ("tone", tones)], textColumn: "text")

let heads = [HeadSpecification(name: "praise", labelColumn: "tone", replace: true)]
let trained = try await plugin.attach(heads, to: rows, encoder: "minilm", holdout: 0.2)
print("accuracy", trained[0].evaluation?.metrics["accuracy"] ?? 0)

let answers = try await plugin.predict(["The parcel came a day early. Lovely!"], heads: ["praise"], top: 2)
for score in answers.texts[0][0].scores { print(score.label, score.probability) }
await plugin.close()
