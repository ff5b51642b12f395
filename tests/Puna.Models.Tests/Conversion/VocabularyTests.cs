using System.Text.Json;
using Puna.Formats.Gguf;
using Puna.Models.Checkpoints;
using Puna.Models.Quantization;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text;
using Puna.Text.Chat;

namespace Puna.Models.Tests.Conversion;

/// <summary>The vocabulary goes where the weights go: the recorded ids of every fixture come out of every format.</summary>
public sealed class VocabularyTests : IDisposable
{
    private const string Template = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}";

    private readonly ConversionFolder _folder = new();

    /// <summary>Fixture, its file, and the route; each step is the name of what is written.</summary>
    public static TheoryData<string, string, string> Routes
    {
        get
        {
            var data = new TheoryData<string, string, string>();
            foreach ((string fixture, string file) in new[] { ("tiny-spm", "tokenizer.model"), ("tiny-spm-json", "tokenizer.json"), ("tiny-byte-bpe", "tokenizer.json"), ("tiny-ranks", "tokenizer.model") })
            {
                foreach (string route in new[] { "1.gguf 2.gguf hf3 hf4", "1.gguf meta2 hf3 4.gguf", "meta1 2.gguf meta3 hf4", "hf1 meta2 meta3 4.gguf hf5" })
                {
                    data.Add(fixture, file, route);
                }
            }

            return data;
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Routes))]
    public void EveryRouteKeepsTheIds(string fixture, string file, string route)
    {
        string path = Source(fixture, file);
        using (Checkpoint source = Checkpoint.Open(path))
        {
            Check(source, fixture);
        }

        foreach (string step in route.Split(' '))
        {
            path = _folder.Convert(path, step, step.StartsWith("hf", StringComparison.Ordinal) ? FileType.F32 : null);
            using Checkpoint checkpoint = Checkpoint.Open(path);
            Check(checkpoint, fixture);
        }
    }

    /// <summary>As Meta publishes: a tokenizer.model beside the weights, and no settings that name tokens.</summary>
    [Theory]
    [InlineData("tiny-spm", 1, 2)]
    [InlineData("tiny-ranks", -1, -1)]
    public void MetaFilesTakeTheirTokensFromTheVocabulary(string fixture, int bos, int eos)
    {
        string meta = Tiny().WriteMeta(_folder.At("meta"), """{"dim": 32, "n_layers": 1, "n_heads": 2, "n_kv_heads": 1, "norm_eps": 1e-5, "multiple_of": 4, "head_dim": 16}""");
        File.Copy(TestFiles.Fixture("tokenizers", fixture, "tokenizer.model"), Path.Combine(meta, "tokenizer.model"));
        Tokenizer tokenizer = TokenizerLoader.Open(meta);
        foreach (string to in new[] { "hf", "model.gguf" })
        {
            using Checkpoint checkpoint = Checkpoint.Open(_folder.Convert(meta, to));
            Check(checkpoint, fixture);
            Assert.Equal(bos < 0 ? tokenizer.BosId : bos, checkpoint.Config.BosId);
            Assert.Equal(eos < 0 ? tokenizer.StopIds : [eos], checkpoint.Config.EosIds.Order());
        }

        // Ranks under the name of a SentencePiece model would mislead other readers of this layout.
        Assert.Equal(fixture == "tiny-spm", File.Exists(_folder.At("hf", "tokenizer.model")));
        Assert.True(File.Exists(_folder.At("hf", "tokenizer.json")));
    }

    [Theory]
    [InlineData("tiny-spm", "tokenizer.model")]
    [InlineData("tiny-byte-bpe", "tokenizer.json")]
    public void TheChatTemplateAndTheRolesGoAlong(string fixture, string file)
    {
        string source = Source(fixture, file);
        File.WriteAllText(Path.Combine(source, "tokenizer_config.json"), JsonSerializer.Serialize(new { chat_template = Template, add_bos_token = false, tokenizer_class = "LlamaTokenizer" }));
        string gguf = _folder.Convert(source, "model.gguf");
        string meta = _folder.Convert(gguf, "meta");
        string hf = _folder.Convert(meta, "hf");
        using (GgufFile written = GgufFile.Open(gguf))
        {
            Assert.Equal(Template, written.Metadata.GetString("tokenizer.chat_template"));
            Assert.False(written.Metadata.GetBool("tokenizer.ggml.add_bos_token"));
            Assert.Equal(1024, written.Metadata.GetStrings("tokenizer.ggml.tokens")!.Length);
        }

        foreach (string folder in new[] { meta, hf, _folder.Convert(source, "meta-direct") })
        {
            Assert.Equal(Template, ChatTemplateFile.Find(folder));
            using Checkpoint checkpoint = Checkpoint.Open(folder);
            Assert.False(CheckpointTokenizer.Open(checkpoint)!.AddBos);
        }
    }

    [Fact]
    public void TemplatesWithNamesGoAlong()
    {
        KeyValuePair<string, string>[] templates = [new("default", Template), new("tool_use", Template + "{{ tools }}"), new("rag", "\u00e9\n")];
        string source = Source("tiny-byte-bpe", "tokenizer.json");
        File.WriteAllText(Path.Combine(source, "tokenizer_config.json"), JsonSerializer.Serialize(new { chat_template = templates.Select(static t => new { name = t.Key, template = t.Value }) }));
        string gguf = _folder.Convert(source, "model.gguf");
        using (GgufFile written = GgufFile.Open(gguf))
        {
            Assert.Equal(Template, written.Metadata.GetString("tokenizer.chat_template"));
            Assert.Equal(Template + "{{ tools }}", written.Metadata.GetString("tokenizer.chat_template.tool_use"));
            Assert.Equal(["tool_use", "rag"], written.Metadata.GetStrings("tokenizer.chat_templates")!);
        }

        string again = _folder.Convert(gguf, "again.gguf", FileType.F16);
        string meta = _folder.Convert(again, "meta");
        foreach (string path in new[] { gguf, again, meta, _folder.Convert(meta, "hf"), _folder.Convert(gguf, "hf-direct"), _folder.Convert(source, "hf-copy", FileType.F16) })
        {
            using Checkpoint checkpoint = Checkpoint.Open(path);
            Assert.Equal(templates, CheckpointTemplates.Find(checkpoint).ByName);
        }
    }

    [Fact]
    public void TemplatesInTheirFolderGoAlong()
    {
        string source = Source("tiny-byte-bpe", "tokenizer.json");
        File.WriteAllText(Path.Combine(source, "chat_template.jinja"), Template);
        Directory.CreateDirectory(Path.Combine(source, "additional_chat_templates"));
        byte[] toolUse = "{{ tools }}\r\n"u8.ToArray();
        File.WriteAllBytes(Path.Combine(source, "additional_chat_templates", "tool_use.jinja"), toolUse);
        File.WriteAllText(Path.Combine(source, "additional_chat_templates", "notes.txt"), "none of the model's");
        string hf = _folder.Convert(source, "hf", FileType.F16);
        foreach (string folder in new[] { hf, _folder.Convert(hf, "meta") })
        {
            string copy = Path.Combine(folder, "additional_chat_templates");
            Assert.Equal(toolUse, File.ReadAllBytes(Path.Combine(copy, "tool_use.jinja")));
            Assert.Equal(["tool_use.jinja"], Directory.GetFiles(copy).Select(Path.GetFileName));
        }

        using (Checkpoint checkpoint = Checkpoint.Open(_folder.Convert(hf, "model.gguf")))
        {
            Assert.Equal([new("default", Template), new("tool_use", "{{ tools }}\r\n")], CheckpointTemplates.Find(checkpoint).ByName);
        }

        // A model without such a template does not go beside one of another model.
        File.Delete(Path.Combine(source, "additional_chat_templates", "tool_use.jinja"));
        string before = File.ReadAllText(Path.Combine(hf, "chat_template.jinja"));
        PunaException error = Assert.Throws<PunaException>(() => _folder.Convert(source, "hf", FileType.F16));
        Assert.Contains("expected no additional_chat_templates/tool_use.jinja", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(Path.Combine(hf, "chat_template.jinja")));
    }

    [Fact]
    public void FilesBetweenFoldersAreCopiedAsTheyAre()
    {
        string source = Source("tiny-byte-bpe", "tokenizer.json");
        byte[] template = "{{ bos_token }}\n"u8.ToArray();
        File.WriteAllBytes(Path.Combine(source, "chat_template.jinja"), template);
        File.WriteAllText(Path.Combine(source, "notes.txt"), "none of the model's");
        string hf = _folder.Convert(source, "hf", FileType.F16);
        string meta = _folder.Convert(hf, "meta");
        foreach (string folder in new[] { hf, meta })
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(source, "tokenizer.json")), File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")));
            Assert.Equal(template, File.ReadAllBytes(Path.Combine(folder, "chat_template.jinja")));
            Assert.False(File.Exists(Path.Combine(folder, "notes.txt")));
        }
    }

    [Fact]
    public void AModelWithoutVocabularySaysSo()
    {
        string source = Tiny().WriteHuggingFace(_folder.At("source"), more: """, "bos_token_id": 5, "eos_token_id": [6, 7]""");
        using GgufFile file = GgufFile.Open(_folder.Convert(source, "model.gguf"));
        Assert.Equal("no_vocab", file.Metadata.GetString("tokenizer.ggml.model"));
        Assert.Equal((5, 6), (file.Metadata.GetInteger("tokenizer.ggml.bos_token_id"), file.Metadata.GetInteger("tokenizer.ggml.eos_token_id")));
        Assert.Equal(["config.json", "model.safetensors"], Directory.GetFiles(_folder.Convert(_folder.At("model.gguf"), "hf")).Select(Path.GetFileName).Order());
    }

    /// <summary>The vocabulary of a real release, where it is at hand.</summary>
    [Theory]
    [InlineData("llama3", 128_256)]
    public void PublishedRanksSurvive(string asset, int rows)
    {
        string model = TestFiles.Asset(asset, "tokenizer.model");
        string meta = new TinyModel(8, 8, 1, 1, 1, 8, rows).Randomize(1).WriteMeta(_folder.At("meta"), """{"dim": 8, "n_layers": 1, "n_heads": 1, "norm_eps": 1e-5, "multiple_of": 4}""");
        File.Copy(model, Path.Combine(meta, "tokenizer.model"));
        string gguf = _folder.Convert(meta, "model.gguf", FileType.F16);
        string back = _folder.Convert(gguf, "meta2");
        Assert.Equal(File.ReadAllBytes(model), File.ReadAllBytes(Path.Combine(back, "tokenizer.model")));
        using Checkpoint checkpoint = Checkpoint.Open(gguf);
        Assert.Equal(128000, checkpoint.Config.BosId);
        Assert.Equal([128001, 128008, 128009], checkpoint.Config.EosIds.Order());
    }

    private static TinyModel Tiny() => new TinyModel(32, 8, 1, 2, 1, 16, 1024).Randomize(1);

    private static void Check(Checkpoint checkpoint, string fixture)
    {
        Tokenizer tokenizer = CheckpointTokenizer.Open(checkpoint)!;
        Assert.NotNull(tokenizer);
        int compared = 0;
        foreach (string line in File.ReadLines(TestFiles.Fixture("tokenizers", fixture, "golden.jsonl")).Take(40))
        {
            using JsonDocument golden = JsonDocument.Parse(line);
            string text = golden.RootElement.GetProperty("text").GetString()!;
            // Texts with names of special tokens are recorded as the library recognises them, which is for the caller to ask for here.
            if (!text.Contains('<', StringComparison.Ordinal))
            {
                JsonElement ids = golden.RootElement.GetProperty(fixture == "tiny-ranks" ? "llama3" : "ids");
                Assert.Equal(ids.EnumerateArray().Select(id => id.GetInt32()), tokenizer.Encode(text));
                compared++;
            }
        }

        Assert.InRange(compared, 20, 40);
    }

    private string Source(string fixture, string file)
    {
        string source = Tiny().WriteHuggingFace(_folder.At("source"));
        File.Copy(TestFiles.Fixture("tokenizers", fixture, file), Path.Combine(source, file));
        return source;
    }
}
