using System.Text;

namespace Puna.Hub.Tests;

public class PartialNoteTests
{
    [Theory]
    [InlineData(5L, "ab", "\"tag\"")]
    [InlineData(null, null, null)]
    [InlineData(0L, null, "\"\"")]
    public void RoundTrips(long? size, string? sha, string? tag)
    {
        var note = new PartialNote(size, sha, tag);
        Assert.Equal(note, PartialNote.Read(note.Write()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"size\":")]
    [InlineData("\0\0\0\0")]
    public void SomethingElseIsNoNote(string text)
    {
        Assert.Null(PartialNote.Read(Encoding.UTF8.GetBytes(text)));
        Assert.Null(PartialNote.Read(null));
    }

    [Theory]
    [InlineData("\"a\r\nX: y\"")]
    [InlineData("\"a b\"")]
    [InlineData("\"a\"b\"")]
    [InlineData("W/\"weak\"")]
    [InlineData("\"")]
    [InlineData("none")]
    public void ATagThatIsNoHeaderIsDropped(string tag)
    {
        PartialNote? note = PartialNote.Read(new PartialNote(1, null, tag).Write());
        Assert.Equal(new PartialNote(1, null, null), note);
        Assert.False(note!.CanResume);
    }
}
