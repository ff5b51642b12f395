using System.Text;

namespace Puna.Hub.Tests;

public class HubListingTests
{
    private const string Sha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private static readonly string Good = $$$"""
        {"_id":"1","id":"owner/name","private":false,"gated":"manual","sha":"{{{FakeHub.Commit}}}","tags":["x",{"y":[1,2]}],
         "siblings":[{"rfilename":"config.json","size":12,"blobId":"ab"},
                     {"rfilename":"model.safetensors","size":5,"lfs":{"sha256":"{{{Sha.ToUpperInvariant()}}}","size":5,"pointerSize":134}},
                     {"rfilename":"README.md"}]}
        """;

    [Fact]
    public void ReadsTheHubsAnswer()
    {
        HubListing listing = Parse(Good);
        Assert.Equal(FakeHub.Commit, listing.Commit);
        Assert.True(listing.HasCommits);
        Assert.Equal([new HubFile("config.json", 12, null), new HubFile("model.safetensors", 5, Sha), new HubFile("README.md", null, null)], listing.Files);
    }

    [Fact]
    public void TheChecksumMayBeCalledOid() => Assert.Equal(
        [new HubFile("a", 5, Sha)], Parse($$"""{"siblings":[{"rfilename":"a","lfs":{"oid":"{{Sha}}","size":5} }]}""").Files);

    [Fact]
    public void RoundTrips()
    {
        HubListing listing = Parse(Good);
        HubListing again = HubListing.Parse(listing.Write(), "test");
        Assert.Equal(listing.Commit, again.Commit);
        Assert.Equal(listing.Files, again.Files);
    }

    [Fact]
    public void AHubWithoutCommitsIsNamedByItsContent()
    {
        HubListing a = Parse("""{"siblings":[{"rfilename":"a.gguf","size":1}]}"""), b = Parse("""{"siblings":[{"rfilename":"a.gguf","size":2}]}""");
        Assert.False(a.HasCommits);
        Assert.True(HubListing.IsCommit(a.Commit));
        Assert.NotEqual(a.Commit, b.Commit);
        Assert.Equal(a.Commit, Parse("""{"sha":null,"siblings":[{"rfilename":"a.gguf","size":1}]}""").Commit);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>log in</html>")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"siblings":{}}""")]
    [InlineData("""{"siblings":[1]}""")]
    [InlineData("""{"siblings":[{}]}""")]
    [InlineData("""{"siblings":[{"rfilename":1}]}""")]
    [InlineData("""{"siblings":[{"rfilename":"a\ud800"}]}""")]
    [InlineData("""{"siblings":[{"rfilename":"../a.gguf"}]}""")]
    [InlineData("""{"siblings":[{"rfilename":"/a.gguf"}]}""")]
    [InlineData("""{"siblings":[{"rfilename":"C:\\a.gguf"}]}""")]
    [InlineData("""{"siblings":[{"rfilename":"a\u0000.gguf"}]}""")]
    [InlineData("""{"siblings":[{"rfilename":"a"},{"rfilename":"a"}]}""")]
    [InlineData("""{"siblings":[{"rfilename":"a","size":-1}]}""")]
    [InlineData("""{"siblings":[{"rfilename":"a","size":1.5}]}""")]
    [InlineData("""{"siblings":[{"rfilename":"a","size":"1"}]}""")]
    [InlineData("""{"siblings":[{"rfilename":"a","size":1e30}]}""")]
    [InlineData("""{"siblings":[{"rfilename":"a","size":9223372036854775807}]}""")]
    [InlineData("""{"siblings":[{"rfilename":"a","size":1,"lfs":{"size":2}}]}""")]
    [InlineData("""{"siblings":[{"rfilename":"a","lfs":{"sha256":"abc"}}]}""")]
    [InlineData("""{"siblings":[{"rfilename":"a","lfs":{"sha256":7}}]}""")]
    [InlineData("""{"siblings":[],"sha":"../../x"}""")]
    [InlineData("""{"siblings":[],"sha":"abc"}""")]
    [InlineData("""{"siblings":[],"sha":5}""")]
    public void RefusesWhatIsNoList(string json)
    {
        HubException e = Assert.Throws<HubException>(() => Parse(json));
        Assert.Equal(HubErrorKind.BadAnswer, e.Kind);
        Assert.StartsWith("list of files: expected ", e.Message, StringComparison.Ordinal);
        Assert.EndsWith("(test)", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RefusesDepth() => Assert.Throws<HubException>(() => Parse(string.Concat(Enumerable.Repeat("[", 100_000))));

    [Fact]
    public void BrokenAnswersAreOneKindOfError()
    {
        // Bytes of a good answer changed, removed and doubled: either it is still a list, or it is refused; nothing else comes out.
        byte[] good = Encoding.UTF8.GetBytes(Good);
        var random = new Random(7);
        for (int i = 0; i < 3000; i++)
        {
            List<byte> bytes = [.. good];
            for (int j = random.Next(1, 4); j > 0; j--)
            {
                int at = random.Next(bytes.Count);
                switch (random.Next(3))
                {
                    case 0: bytes[at] = (byte)random.Next(256); break;
                    case 1: bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at)); break;
                    default: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 20), bytes.Count - at))); break;
                }
            }

            try
            {
                Assert.All(HubListing.Parse(bytes.ToArray(), "test").Files, file => Assert.Null(SafePath.Escape(file.Path)));
            }
            catch (HubException e)
            {
                Assert.Equal(HubErrorKind.BadAnswer, e.Kind);
            }
        }
    }

    private static HubListing Parse(string json) => HubListing.Parse(Encoding.UTF8.GetBytes(json), "test");
}
