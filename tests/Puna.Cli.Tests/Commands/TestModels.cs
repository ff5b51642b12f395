using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Formats.Safetensors;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

/// <summary>Models for tests of the commands.</summary>
internal static class TestModels
{
    /// <summary>A random model with a golden, without a tokenizer.</summary>
    public static string Random => TestFiles.Fixture("goldens", "llama2-gqa");

    /// <summary>What the reference computed for <see cref="Random"/>.</summary>
    public static string RandomGolden => Path.Combine(Random, "io.safetensors");

    /// <summary>Copies a small model that continues text.</summary>
    public static string WriteTiny(string path)
    {
        File.Copy(TestFiles.TrainedTiny, path);
        return path;
    }

    /// <summary>Writes a small model with Llama 2's chat template, as if it had been trained to answer.</summary>
    public static string WriteChat(string path)
    {
        const string Template = "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST] <<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' + m['content'] + ' [/INST]' }}{% endif %}{% endfor %}";
        return WriteChanged(path, static metadata => metadata.Set("tokenizer.chat_template", Template));
    }

    /// <summary>Writes a small model with other metadata.</summary>
    public static string WriteChanged(string path, Action<GgufMetadata> change)
    {
        using GgufFile file = GgufFile.Open(TestFiles.TrainedTiny);
        change(file.Metadata);
        using var writer = new GgufWriter(path, file.Metadata);
        foreach (TensorInfo tensor in file.Tensors)
        {
            writer.Declare(tensor.Name, tensor.DType, tensor.Shape);
        }

        writer.Begin();
        foreach (TensorInfo tensor in file.Tensors)
        {
            Tensor values = file.GetTensor(tensor.Name);
            for (long row = 0; row < values.Rows; row++)
            {
                writer.Write(values.Row<byte>(row));
            }
        }

        writer.Complete();
        return path;
    }

    /// <summary>Integers of a safetensors file.</summary>
    public static int[] ReadIds(string path, string name)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return Array.ConvertAll(file.GetTensor(name).Row<long>(0).ToArray(), static id => (int)id);
    }

    /// <summary>Values of a safetensors file.</summary>
    public static float[] ReadFloats(string path, string name)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Tensor tensor = file.GetTensor(name);
        return [.. Enumerable.Range(0, (int)tensor.Rows).SelectMany(row => tensor.Row<float>(row).ToArray())];
    }

    /// <summary>Bytes of a safetensors file.</summary>
    public static byte[] ReadBytes(string path, string name)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Tensor tensor = file.GetTensor(name);
        return [.. Enumerable.Range(0, (int)tensor.Rows).SelectMany(row => tensor.Row<byte>(row).ToArray())];
    }
}
