using Puna.Formats.Gguf;
using Puna.Tensors;

namespace Puna.Formats.Tests.Gguf;

public class GgufMetadataTests
{
    [Fact]
    public void NumbersOfAnyWidthAreRead()
    {
        var m = new GgufMetadata();
        m.Set("a", (byte)200);
        m.Set("b", 200UL);
        m.Set("c", 2.5);
        m.Set("d", new ulong[] { 1, 2 });
        m.Set("e", new sbyte[] { -1 });
        m.Set("f", new[] { 0.5, 1 });
        m.Set("g", new uint[] { uint.MaxValue });
        Assert.Equal(200, m.GetInteger("a"));
        Assert.Equal(200, m.GetInteger("b"));
        Assert.Equal(200.0, m.GetNumber("a"));
        Assert.Equal(2.5, m.GetNumber("c"));
        Assert.Equal([1, 2], m.GetIntegers("d")!);
        Assert.Equal([-1], m.GetIntegers("e")!);
        Assert.Equal([0.5f, 1], m.GetFloats("f")!);
        Assert.Equal([uint.MaxValue], m.GetIntegers("g")!);
    }

    [Fact]
    public void AbsentKeysAreNull()
    {
        var m = new GgufMetadata();
        Assert.Null(m.GetString("x"));
        Assert.Null(m.GetInteger("x"));
        Assert.Null(m.GetNumber("x"));
        Assert.Null(m.GetBool("x"));
        Assert.Null(m.GetStrings("x"));
        Assert.Null(m.GetIntegers("x"));
        Assert.Null(m.GetFloats("x"));
        Assert.Null(m.GetBools("x"));
    }

    [Fact]
    public void ValuesOfAnotherKindAreErrorsThatNameTheKey()
    {
        var m = new GgufMetadata("some.gguf");
        m.Set("text", "x");
        m.Set("big", ulong.MaxValue);
        m.Set("bigs", new[] { ulong.MaxValue });
        m.Set("float", 1f);
        Assert.Contains("metadata text: expected an integer that fits 63 bits, got x (some.gguf)", Assert.Throws<FileFormatException>(() => m.GetInteger("text")).Message);
        Assert.Contains("metadata big: expected an integer that fits 63 bits, got 18446744073709551615", Assert.Throws<FileFormatException>(() => m.GetInteger("big")).Message);
        Assert.Contains("metadata bigs: expected an integer", Assert.Throws<FileFormatException>(() => m.GetIntegers("bigs")).Message);
        Assert.Contains("metadata float: expected a string, got Float32", Assert.Throws<FileFormatException>(() => m.GetString("float")).Message);
        Assert.Contains("metadata float: expected an array of integers, got Float32", Assert.Throws<FileFormatException>(() => m.GetIntegers("float")).Message);
        Assert.Contains("metadata bigs: expected an array of strings, got an array of UInt64", Assert.Throws<FileFormatException>(() => m.GetStrings("bigs")).Message);
        Assert.Throws<FileFormatException>(() => m.GetBool("float"));
        Assert.Throws<FileFormatException>(() => m.GetBools("bigs"));
        Assert.Throws<FileFormatException>(() => m.GetFloats("bigs"));
    }
}
