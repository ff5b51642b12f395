using Puna.Models.Vision;

namespace Puna.Models;

/// <summary>The shapes of every released Llama, of Llama 4 the text model alone (spec llama1-3.md 1.2, with the errata of 1.6; llama4.md 2). Of Llama 4 Behemoth no shapes were published, so there is none.</summary>
public static class LlamaPresets
{
    private static readonly RopeScaling By8 = new RopeScaling.Llama3(8, 1, 4, 8192);
    private static readonly RopeScaling By32 = new RopeScaling.Llama3(32, 1, 4, 8192);

    /// <summary>All presets by name, for example <c>llama-3.2-1b</c>.</summary>
    public static IReadOnlyDictionary<string, LlamaConfig> All { get; } = new LlamaConfig[]
    {
        //     name                 layers hidden heads kv   ffn    vocab   context  eps   theta
        Dense("llama-1-7b",             32,  4096,  32,  32, 11008,  32000,   2048, 1e-6f, 1e4),
        Dense("llama-1-13b",            40,  5120,  40,  40, 13824,  32000,   2048, 1e-6f, 1e4),
        Dense("llama-1-33b",            60,  6656,  52,  52, 17920,  32000,   2048, 1e-6f, 1e4),
        Dense("llama-1-65b",            80,  8192,  64,  64, 22016,  32000,   2048, 1e-6f, 1e4),
        Dense("llama-2-7b",             32,  4096,  32,  32, 11008,  32000,   4096, 1e-5f, 1e4),
        Dense("llama-2-13b",            40,  5120,  40,  40, 13824,  32000,   4096, 1e-5f, 1e4),
        Dense("llama-2-70b",            80,  8192,  64,   8, 28672,  32000,   4096, 1e-5f, 1e4),
        Dense("code-llama-7b",          32,  4096,  32,  32, 11008,  32016,  16384, 1e-5f, 1e6),
        Dense("code-llama-13b",         40,  5120,  40,  40, 13824,  32016,  16384, 1e-5f, 1e6),
        Dense("code-llama-7b-python",   32,  4096,  32,  32, 11008,  32000,  16384, 1e-5f, 1e6),
        Dense("code-llama-13b-python",  40,  5120,  40,  40, 13824,  32000,  16384, 1e-5f, 1e6),
        Dense("code-llama-34b",         48,  8192,  64,   8, 22016,  32000,  16384, 1e-5f, 1e6),
        Dense("code-llama-70b",         80,  8192,  64,   8, 28672,  32016,  16384, 1e-5f, 1e6),
        Dense("code-llama-70b-instruct", 80, 8192,  64,   8, 28672,  32016,   4096, 1e-5f, 1e4),
        Dense("code-llama-70b-python",  80,  8192,  64,   8, 28672,  32016,   4096, 1e-5f, 1e4),
        Dense("llama-3-8b",             32,  4096,  32,   8, 14336, 128256,   8192, 1e-5f, 5e5),
        Dense("llama-3-70b",            80,  8192,  64,   8, 28672, 128256,   8192, 1e-5f, 5e5),
        Dense("llama-3.1-8b",           32,  4096,  32,   8, 14336, 128256, 131072, 1e-5f, 5e5) with { RopeScaling = By8 },
        Dense("llama-3.1-70b",          80,  8192,  64,   8, 28672, 128256, 131072, 1e-5f, 5e5) with { RopeScaling = By8 },
        Dense("llama-3.1-405b",        126, 16384, 128,   8, 53248, 128256, 131072, 1e-5f, 5e5) with { RopeScaling = By8 },
        Dense("llama-3.2-1b",           16,  2048,  32,   8,  8192, 128256, 131072, 1e-5f, 5e5) with { RopeScaling = By32, TiedEmbeddings = true },
        Dense("llama-3.2-3b",           28,  3072,  24,   8,  8192, 128256, 131072, 1e-5f, 5e5) with { RopeScaling = By32, TiedEmbeddings = true },
        Sees(Dense("llama-3.2-11b-vision",          32, 4096, 32, 8, 14336, 128256, 131072, 1e-5f, 5e5), 8, 448),
        Sees(Dense("llama-3.2-11b-vision-instruct", 32, 4096, 32, 8, 14336, 128256, 131072, 1e-5f, 5e5), 8, 560),
        Sees(Dense("llama-3.2-90b-vision",          80, 8192, 64, 8, 28672, 128256, 131072, 1e-5f, 5e5), 20, 560),
        Dense("llama-3.3-70b",          80,  8192,  64,   8, 28672, 128256, 131072, 1e-5f, 5e5) with { RopeScaling = By8 },
        Four("llama-4-scout",     16, 1, 10485760) with { RopeScaling = new RopeScaling.Llama3(16, 1, 1, 8192) },
        Four("llama-4-maverick", 128, 2,  1048576),
    }.ToDictionary(c => c.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The preset of a name, hyphens and letter case aside (<c>llama3.1-405b</c> is <c>llama-3.1-405b</c>), or null.</summary>
    public static LlamaConfig? Find(string name)
    {
        string plain = name.Replace("-", "", StringComparison.Ordinal);
        return All.FirstOrDefault(p => p.Key.Replace("-", "", StringComparison.Ordinal).Equals(plain, StringComparison.OrdinalIgnoreCase)).Value;
    }

    private static LlamaConfig Dense(
        string name, int layers, int hidden, int heads, int kvHeads, int ffn, int vocab, int context, float epsilon, double theta) => new()
    {
        Name = name,
        Layers = layers,
        Hidden = hidden,
        Heads = heads,
        KvHeads = kvHeads,
        HeadDim = hidden / heads,
        Ffn = ffn,
        Vocab = vocab,
        ContextLength = context,
        NormEpsilon = epsilon,
        RopeTheta = theta,
        BosId = vocab > 100000 ? 128000 : 1,
        // End of message (128008) came with Llama 3.1: in Llama 3 that id is a reserved token (spec llama1-3.md 1.4).
        EosIds = vocab < 100000 ? [2] : context > 8192 ? [128001, 128008, 128009] : [128001, 128009],
    };

    // Llama Guard 3 11B Vision has the numbers of the 11B instruction model; only the 11B base model has smaller tiles (spec llama1-3.md 1.3).
    private static LlamaConfig Sees(LlamaConfig text, int crossLayers, int side) => text with
    {
        RopeScaling = By8,
        Vision = new MllamaConfig
        {
            CrossLayers = MllamaConfig.Spread(text.Layers, crossLayers),
            ImageToken = text.Vocab,
            Hidden = 1280,
            Ffn = 5120,
            Heads = 16,
            LocalLayers = 32,
            GlobalLayers = 8,
            Taps = [3, 7, 15, 23, 30],
            ImageSize = side,
            PatchSize = 14,
        },
    };

    private static LlamaConfig Four(string name, int experts, int step, int context)
    {
        bool[] rotary = Llama4Config.Except(Llama4Config.EveryNth(48, 4));
        return Dense(name, 48, 5120, 40, 8, 16384, 202048, context, 1e-5f, 5e5) with
        {
            Llama4 = new Llama4Config
            {
                Experts = experts,
                ExpertFfn = 8192,
                HasExperts = Llama4Config.EveryNth(48, step),
                IsRotary = rotary,
                IsLocal = rotary,
                QkNorm = experts == 16,
                Vision = new Vision.Llama4VisionConfig { Hidden = 1408, Layers = 34, Heads = 16, Ffn = 5632, AdapterHidden = 4096, AdapterOutput = 4096 },
            },
            BosId = 200000,
            EosIds = [200001, 200007, 200008],
        };
    }
}
