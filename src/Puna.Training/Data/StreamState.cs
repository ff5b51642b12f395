namespace Puna.Training.Data;

/// <summary>Where a stream of documents stands.</summary>
/// <param name="Source">Which stream this is the state of: a name and what identifies its content.</param>
/// <param name="Position">Documents given so far.</param>
/// <param name="Parts">States of the streams it is made of, in order.</param>
/// <param name="Rest">Tokens of a document that has been begun, the next one first.</param>
/// <param name="RestWeights">Their weights.</param>
public sealed record StreamState(string Source, long Position, IReadOnlyList<StreamState> Parts, IReadOnlyList<int> Rest, IReadOnlyList<float> RestWeights)
{
    /// <summary>The state of a stream without parts and with no document begun.</summary>
    public static StreamState Plain(string source, long position) => new(source, position, [], [], []);
}
