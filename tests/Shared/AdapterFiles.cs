using System.Buffers.Binary;
using System.Text;

namespace Puna.Tests.Shared;

/// <summary>Writes adapters of random values as peft saves them, by hand: tests of rooms that know no formats need them too.</summary>
public static class AdapterFiles
{
    /// <summary>The linear layers of the embedded model: name in Hugging Face's layout, outputs, inputs.</summary>
    public static IEnumerable<(string Module, int Out, int In)> EmbeddedModel => Enumerable.Range(0, 4).SelectMany(static i => new (string, int, int)[]
    {
        ($"layers.{i}.self_attn.q_proj", 256, 256), ($"layers.{i}.self_attn.k_proj", 128, 256), ($"layers.{i}.self_attn.v_proj", 128, 256), ($"layers.{i}.self_attn.o_proj", 256, 256),
        ($"layers.{i}.mlp.gate_proj", 704, 256), ($"layers.{i}.mlp.up_proj", 704, 256), ($"layers.{i}.mlp.down_proj", 256, 704),
    });

    /// <summary>Writes an adapter of rank 4.</summary>
    /// <param name="folder">Made where it is missing.</param>
    /// <param name="modules">What it changes.</param>
    /// <param name="seed">Sets one apart from another.</param>
    /// <param name="size">Largest value of A and B.</param>
    /// <param name="isDora">Whether rows get lengths of about 1 too.</param>
    /// <param name="prefix">What the model that was trained has in front of its layers.</param>
    /// <returns>The folder.</returns>
    public static string Write(string folder, IEnumerable<(string Module, int Out, int In)> modules, int seed, float size = 0.3f, bool isDora = false, string prefix = "model.")
    {
        const int Rank = 4;
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "adapter_config.json"), $$"""{"peft_type":"LORA","r":{{Rank}},"lora_alpha":{{Rank}},"use_dora":{{(isDora ? "true" : "false")}}}""");
        var random = new Random(seed);
        var header = new List<string>();
        using var data = new MemoryStream();
        foreach ((string module, int rows, int columns) in modules)
        {
            string name = "base_model.model." + prefix + module;
            Add(name + ".lora_A.weight", $"{Rank},{columns}", Rank * columns, 0);
            Add(name + ".lora_B.weight", $"{rows},{Rank}", rows * Rank, 0);
            if (isDora)
            {
                Add(name + ".lora_magnitude_vector", $"{rows}", rows, 1);
            }
        }

        byte[] text = Encoding.UTF8.GetBytes("{" + string.Join(',', header) + "}");
        using FileStream file = File.Create(Path.Combine(folder, "adapter_model.safetensors"));
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, text.Length);
        file.Write(length);
        file.Write(text);
        data.Position = 0;
        data.CopyTo(file);
        return folder;

        void Add(string name, string shape, int count, float middle)
        {
            long first = data.Length;
            Span<byte> value = stackalloc byte[4];
            for (int i = 0; i < count; i++)
            {
                BinaryPrimitives.WriteSingleLittleEndian(value, middle + (size * ((2 * random.NextSingle()) - 1)));
                data.Write(value);
            }

            header.Add($$"""
                "{{name}}":{"dtype":"F32","shape":[{{shape}}],"data_offsets":[{{first}},{{data.Length}}]}
                """);
        }
    }
}
