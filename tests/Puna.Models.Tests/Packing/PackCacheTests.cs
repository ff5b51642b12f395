using System.Buffers.Binary;
using System.Security.Cryptography;
using Puna.Formats.Packed;
using Puna.Models.Checkpoints;
using Puna.Models.Packing;
using Puna.Models.Tests.Conversion;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.Packing;

/// <summary>Whatever lies in the cache, the logits are those of the model without it; the oracle is always the model as <see cref="Checkpoint.Load"/> gives it.</summary>
public sealed class PackCacheTests : IDisposable
{
    private static readonly int[] _ids = [1, 9, 4, 30, 31, 7, 7, 0, 22, 3];
    private readonly ConversionFolder _folder = new();
    private readonly List<string> _warnings = [];
    private readonly CpuOps _ops = new(2);

    public static TheoryData<string> Types =>
        ["f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "q2_k", "q3_k_m", "q4_k_m", "q5_k_m", "q6_k", "iq3_s", "iq4_nl", "iq4_xs", "tq2_0"];

    private string Cache => _folder.At("cache");

    private string[] Packs => Directory.Exists(Cache) ? Directory.GetFiles(Cache, "*.punapack") : [];

    public void Dispose()
    {
        _ops.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void EveryTypeGivesTheSameBits(string type) => Twice(TestFiles.Golden("gguf-quants", type + ".gguf"));

    [Theory]
    [InlineData("trained-tiny")]
    [InlineData("llama2-gqa")]
    [InlineData("llama32-tied")]
    [InlineData("reward-model")]
    [InlineData("meta-llama2-gqa-2x-float32")] // parts that are put together in memory
    public void EveryFormatGivesTheSameBits(string golden) => Twice(TestFiles.GoldenModel(golden));

    [Fact]
    public void SplitFilesAndBiasesGiveTheSameBits()
    {
        TinyModel tiny = new TinyModel(64, 96, 2, 4, 2, 16, 40) { QkvBias = true, MlpBias = true, OutputBias = true }.Randomize(3);
        string folder = tiny.WriteHuggingFace(_folder.At("biased"), more: ", \"qkv_bias\": true");
        Twice(folder);
        foreach (string pack in Packs)
        {
            File.Delete(pack);
        }

        _folder.Convert(TestFiles.TrainedTiny, "split.gguf", maxFileBytes: 1_000_000);
        string first = Directory.GetFiles(_folder.Path, "split-00001-of-*.gguf").Single();
        Twice(first);

        // The last part changes, the first does not.
        string last = Directory.GetFiles(_folder.Path, "split-*.gguf").Order(StringComparer.Ordinal).Last();
        Change(last, keepTime: true);
        AssertSame(first, hit: false);
        Assert.Equal(2, Packs.Length);
    }

    [Fact]
    public void ModelsOfMemoryGoPastIt()
    {
        string path = CopyModel();
        using Checkpoint read = Checkpoint.Open(path, map: false);
        Assert.Equal(Expected(path), Runner.Whole(Load(read), _ids));
        Assert.False(Directory.Exists(Cache));
    }

    [Theory]
    [InlineData("bit of the first weight")]
    [InlineData("bit of the last byte")]
    [InlineData("bit of the header")]
    [InlineData("cut by a byte")]
    [InlineData("cut to half")]
    [InlineData("empty")]
    [InlineData("longer")]
    [InlineData("text")]
    [InlineData("a page of zeros")]
    [InlineData("another model of the same shape")]
    [InlineData("another layout")]
    [InlineData("a weight less")]
    [InlineData("another name")]
    public void DamageIsToldRepairedAndNeverUsed(string damage)
    {
        string path = CopyModel();
        AssertSame(path, hit: false);
        string pack = Packs.Single();
        byte[] whole = File.ReadAllBytes(pack);
        byte[] bytes = [.. whole];
        switch (damage)
        {
            case "bit of the first weight": bytes[BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12)) + 100] ^= 4; break;
            case "bit of the last byte": bytes[^1] ^= 128; break;
            case "bit of the header": bytes[70] ^= 1; break;
            case "cut by a byte": bytes = bytes[..^1]; break;
            case "cut to half": bytes = bytes[..(bytes.Length / 2)]; break;
            case "empty": bytes = []; break;
            case "longer": bytes = [.. bytes, .. new byte[64]]; break;
            case "text": bytes = "no packed weights"u8.ToArray(); break;
            case "a page of zeros": bytes.AsSpan(1 << 18, 4096).Clear(); break;
            default: bytes = Other(damage, path, pack); break;
        }

        File.WriteAllBytes(pack, bytes);
        AssertSame(path, hit: false);
        Assert.Contains("packing anew: packed weight", Assert.Single(_warnings), StringComparison.Ordinal);
        Assert.Contains(pack, _warnings[0], StringComparison.Ordinal);
        Assert.DoesNotContain('\n', _warnings[0]);
        Assert.Equal(whole, File.ReadAllBytes(pack));
        _warnings.Clear();
        AssertSame(path, hit: true);
    }

    [Fact]
    public void AChangedModelIsNoticedThoughSizeAndTimeAreTheSame()
    {
        string path = CopyModel();
        AssertSame(path, hit: false);
        Assert.Empty(Directory.GetFiles(Cache, "*.source")); // so soon after a change its stamp proves nothing
        Change(path, keepTime: true);
        AssertSame(path, hit: false);
        Assert.Equal(2, Packs.Length);

        // Where the content was noted by its stamp, as some seconds later.
        Thread.Sleep(2200);
        AssertSame(path, hit: true);
        if (OperatingSystem.IsLinux())
        {
            Assert.Single(Directory.GetFiles(Cache, "*.source"));
        }

        Change(path, keepTime: true);
        AssertSame(path, hit: false);
        Assert.Equal(3, Packs.Length);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void TheSameContentIsFoundUnderAnotherNameAndTime()
    {
        string path = CopyModel();
        AssertSame(path, hit: false);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddYears(-1));
        AssertSame(path, hit: true);
        File.Copy(path, _folder.At("copy.gguf"));
        AssertSame(_folder.At("copy.gguf"), hit: true);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void ANoteIsBelievedForItsStampsAndChecksumAlone()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs stamps, which only Linux gives");
        string path = CopyModel();
        Thread.Sleep(2200);
        AssertSame(path, hit: false);
        string note = Directory.GetFiles(Cache, "*.source").Single();
        byte[] bytes = File.ReadAllBytes(note);
        int hash = bytes.Length - 16 - SHA256.HashSizeInBytes;
        foreach (int at in new[] { 0, 8, hash - 1, hash, bytes.Length - 17, bytes.Length - 1 })
        {
            byte[] damaged = [.. bytes];
            damaged[at] ^= 1;
            File.WriteAllBytes(note, damaged);
            AssertSame(path, hit: true); // read again, found again
            Assert.Equal(bytes, File.ReadAllBytes(note));
        }

        File.WriteAllBytes(note, []);
        AssertSame(path, hit: true);

        // With a checksum that fits, another hash is another model: what is noted is really used.
        bytes[hash] ^= 1;
        BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(bytes.Length - 16), LaneChecksum.Of(bytes.AsSpan(0, bytes.Length - 16)));
        File.WriteAllBytes(note, bytes);
        AssertSame(path, hit: false);
        Assert.Equal(2, Packs.Length);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void AFolderThatCannotBeWrittenCostsAWarning()
    {
        string path = CopyModel();
        File.WriteAllText(Cache, "a file where the folder should be");
        AssertSame(path, hit: false);
        Assert.All(_warnings, line => Assert.Contains(Cache, line, StringComparison.Ordinal));
        Assert.Contains("cannot be written", Assert.Single(_warnings), StringComparison.Ordinal);
        Assert.Equal(["cache", "model.gguf"], _folder.Entries);
    }

    [Fact]
    public void AReadOnlyFolderCostsAWarning()
    {
        if (OperatingSystem.IsWindows() || Environment.UserName == "root")
        {
            Assert.Skip("needs a user whom a folder's mode stops");
            return;
        }

        string path = CopyModel();
        Directory.CreateDirectory(Cache);
        File.SetUnixFileMode(Cache, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        AssertSame(path, hit: false);
        File.SetUnixFileMode(Cache, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.UserWrite);
        Assert.Contains("cannot be written", Assert.Single(_warnings), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Cache));
    }

    [Fact]
    public void SomethingElseInItsPlaceCostsAWarning()
    {
        string path = CopyModel();
        AssertSame(path, hit: false);
        string pack = Packs.Single();
        File.Delete(pack);
        Directory.CreateDirectory(Path.Combine(pack, "full"));
        AssertSame(path, hit: false);
        Assert.Contains("there is a folder of this name", Assert.Single(_warnings), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Cache, ".*"));
    }

    [Fact]
    public void WritersAtTheSameTimeDoNotDisturbEachOther()
    {
        string path = CopyModel();
        float[] expected = Expected(path);
        var logits = new float[6][];
        Parallel.For(0, logits.Length, new ParallelOptions { MaxDegreeOfParallelism = logits.Length }, i =>
        {
            using Checkpoint checkpoint = Checkpoint.Open(path);
            using var ops = new CpuOps(1);
            logits[i] = Runner.Whole(new PackCache(Cache, line => throw new InvalidOperationException(line)).Load(checkpoint, ops), _ids);
        });
        Assert.All(logits, one => Assert.Equal(expected, one));
        Assert.Single(Directory.GetFileSystemEntries(Cache));
        AssertSame(path, hit: true);
    }

    [Fact]
    public void ScalesThatAreNotFiniteAreRefusedAndNothingIsKept()
    {
        string path = CopyModel();
        Formats.TensorInfo? info;
        using (Checkpoint checkpoint = Checkpoint.Open(path))
        {
            Assert.True(checkpoint.TryGetInfo("layers.0.attention.wq.weight", out info));
            Assert.Equal(DType.Q8_0, info.DType);
        }

        using (FileStream stream = File.OpenWrite(path))
        {
            stream.Position = info.Offset;
            stream.Write([0, 0x7C]); // infinity as the scale of the first block
        }

        for (int i = 0; i < 2; i++)
        {
            using Checkpoint checkpoint = Checkpoint.Open(path);
            Assert.Contains("blk.0.attn_q.weight", Assert.Throws<PunaException>(() => Load(checkpoint)).Message, StringComparison.Ordinal);
        }

        Assert.Empty(Packs);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void WhoStopsLeavesNothing()
    {
        string path = CopyModel();
        using Checkpoint checkpoint = Checkpoint.Open(path);
        Assert.ThrowsAny<OperationCanceledException>(() => new PackCache(Cache).Load(checkpoint, _ops, new CancellationToken(true)));
        Assert.False(Directory.Exists(Cache));
    }

    [Fact]
    public void WhatAKilledWriterLeftIsRemovedAfterADay()
    {
        Directory.CreateDirectory(Cache);
        string old = Path.Combine(Cache, ".a.punapack.abc.tmp"), young = Path.Combine(Cache, ".b.punapack.abc.tmp"), foreign = Path.Combine(Cache, ".c.tmp");
        Array.ForEach([old, young, foreign], file => File.WriteAllText(file, "half"));
        Array.ForEach([old, foreign], file => File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-2)));
        AssertSame(CopyModel(), hit: false);
        Assert.Equal((false, true, true), (File.Exists(old), File.Exists(young), File.Exists(foreign)));
    }

    [Fact]
    public void WeightsStayMappedWhenTheModelIsClosedAndThePackReplaced()
    {
        string path = CopyModel();
        AssertSame(path, hit: false);
        float[] expected = Expected(path);
        Llama model;
        using (Checkpoint checkpoint = Checkpoint.Open(path))
        {
            model = Load(checkpoint);
        }

        string pack = Packs.Single();
        File.WriteAllText(pack + ".new", "other");
        File.Move(pack + ".new", pack, overwrite: true);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(expected, Runner.Whole(model, _ids));
    }

    private Llama Load(Checkpoint checkpoint) => new PackCache(Cache, _warnings.Add) { Threads = 2 }.Load(checkpoint, _ops, TestContext.Current.CancellationToken);

    private static float[] Expected(string path)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path);
        return Runner.Whole(checkpoint.Load(), _ids);
    }

    /// <summary>Loads through the cache: the same bits as without, from the mapped form or from a new one.</summary>
    private void AssertSame(string path, bool hit)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path);
        Llama model = Load(checkpoint);
        Assert.Equal(Expected(path), Runner.Whole(model, _ids));
        Assert.Equal(Runner.Chunked(checkpoint.Load(), _ids, 1), Runner.Chunked(model, _ids, 1, threads: 2));
        Weight[] matrices = [model.Embedding, model.Output.Weight, .. model.Blocks.SelectMany(b => new[] { b.Attention.Wq.Weight, b.FeedForward.W2.Weight })];
        Assert.All(matrices, weight => Assert.Equal(hit, weight.Packed!.Storage is MemoryMappedStorage));
        Assert.Equal(model.Config.TiedEmbeddings && model.Config.Labels == 0, ReferenceEquals(model.Embedding, model.Output.Weight));
    }

    private void Twice(string path)
    {
        AssertSame(path, hit: false);
        Assert.Single(Packs);
        AssertSame(path, hit: true);
        Assert.Empty(_warnings);
    }

    private string CopyModel()
    {
        string path = _folder.At("model.gguf");
        File.Copy(TestFiles.TrainedTiny, path, overwrite: true);
        return path;
    }

    /// <summary>Changes a code of the last tensor in place; size and, if asked for, time stay.</summary>
    private static void Change(string path, bool keepTime)
    {
        DateTime time = File.GetLastWriteTimeUtc(path);
        using (FileStream stream = new(path, FileMode.Open, FileAccess.ReadWrite))
        {
            stream.Position = stream.Length - 5;
            int value = stream.ReadByte();
            stream.Position--;
            stream.WriteByte((byte)(value + 40));
        }

        if (keepTime)
        {
            File.SetLastWriteTimeUtc(path, time);
        }
    }

    /// <summary>A whole file with valid checksums that is not what this model needs.</summary>
    private byte[] Other(string what, string path, string pack)
    {
        if (what == "another model of the same shape")
        {
            // Its logits would be wrong, and nothing but the hash of the source says so.
            string other = _folder.At("other.gguf");
            File.Copy(path, other);
            Change(other, keepTime: false);
            AssertSame(other, hit: false);
            string theirs = Packs.Single(file => file != pack);
            byte[] bytes = File.ReadAllBytes(theirs);
            File.Delete(theirs);
            return bytes;
        }

        PackedFile file = PackedFile.Open(pack);
        file.Verify(1, TestContext.Current.CancellationToken);
        Weight[] weights = [.. file.Tensors.Select(tensor => file.GetWeight(tensor.Name))];
        if (what == "another name")
        {
            // Two matrices of the same shape and type change places.
            weights = [.. weights.Select(w => w.Packed is not { } packed ? w : new Weight(w.Name.Contains("blk.0.attn_q.", StringComparison.Ordinal) ? "blk.0.attn_output.weight" : w.Name.Contains("blk.0.attn_output.", StringComparison.Ordinal) ? "blk.0.attn_q.weight" : w.Name, packed))];
        }

        string to = _folder.At("made.punapack");
        PackedFileWriter.Write(to, file.Source.ToArray(), what == "another layout" ? "rows16-0" : file.Layout, what == "a weight less" ? weights[..^1] : weights, 1, TestContext.Current.CancellationToken);
        byte[] made = File.ReadAllBytes(to);
        File.Delete(to);
        return made;
    }
}
