import HidraPlugin

let plugin = try await TaskPlugin.connect(name: "praise", version: "1.0")
try await plugin.prepare(encoder: "minilm")

let texts = ["It works at last, thank you!", "Third time I write about the same bill.", /* … */]
let tones = ["praise", "complaint", /* … */]
let rows = try await plugin.upload([("text", texts), ("tone", tones)], textColumn: "text")
