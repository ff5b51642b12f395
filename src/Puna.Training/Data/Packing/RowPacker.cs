using System.Runtime.InteropServices;
using Puna.Tensors;

namespace Puna.Training.Data;

/// <summary>
/// Turns documents into rows (spec training.md 2.5). Every document, or piece of one, is a sequence of its own whose positions start at 0; its first token is never predicted. Rows come in
/// one global order that is a pure function of the stream; rank r of R takes row r of every R by means of <see cref="Skip"/>.
/// </summary>
public sealed class RowPacker
{
    /// <summary>A stream that gives this many empty documents in a row is taken to have no others.</summary>
    private const int MostEmptyDocuments = 1_000_000;

    private readonly ITokenStream _stream;
    private readonly int _rowTokens;
    private readonly string _source;
    private readonly SampleBins? _bins;
    private readonly TokenDocument _document = new();

    // Concat-split: tokens of the document in hand from here on are still to be given, and stand for so many bytes.
    private int _next;
    private long _restBytes;

    /// <summary>Creates a packer.</summary>
    /// <param name="stream">Gives the documents; the packer is its only reader.</param>
    /// <param name="rowTokens">Tokens of a row.</param>
    /// <param name="mode">How documents become rows.</param>
    /// <param name="truncate">Where <paramref name="mode"/> is <see cref="PackingMode.BestFit"/>: which end of a sample longer than a row is given up.</param>
    public RowPacker(ITokenStream stream, int rowTokens, PackingMode mode, TruncationSide truncate = TruncationSide.End)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfLessThan(rowTokens, 2);
        _stream = stream;
        _rowTokens = rowTokens;
        Mode = mode;
        _source = mode == PackingMode.ConcatSplit ? $"rows concat-split {rowTokens}" : $"rows best-fit {rowTokens} truncated at the {(truncate == TruncationSide.End ? "end" : "start")}";
        _bins = mode == PackingMode.BestFit ? new SampleBins(this, rowTokens, truncate) : null;
    }

    /// <summary>How documents become rows.</summary>
    public PackingMode Mode { get; }

    /// <summary>Rows given so far.</summary>
    public long Rows { get; private set; }

    /// <summary>Samples cut because they were longer than a row, among those read so far; 0 where documents are split anyway.</summary>
    public long Truncated => _bins?.Truncated ?? 0;

    /// <summary>
    /// Where the packer stands, with the tokens that are left of the document in hand. Between two calls of <see cref="Fill"/> only. Setting it reads at most one window of samples again.
    /// </summary>
    /// <exception cref="PunaException">On setting: the state of something else.</exception>
    public StreamState State
    {
        get => _bins is not null
            ? new StreamState(_source, Rows, _bins.State(), [], [])
            : new StreamState(
                _source,
                Rows,
                [_stream.State, StreamState.Plain("bytes of the rest", _restBytes)],
                _document.Tokens.GetRange(_next, _document.Tokens.Count - _next),
                _document.Weights.GetRange(_next, _document.Weights.Count - _next));

        set
        {
            ArgumentNullException.ThrowIfNull(value);
            int parts = _bins is null ? 2 : 3;
            if (value.Source != _source || value.Parts.Count != parts || value.Position < 0 || value.Rest.Count != value.RestWeights.Count)
            {
                throw new PunaException($"state of the row packer: expected one of '{_source}' with {parts} parts, got '{value.Source}' with {value.Parts.Count}");
            }

            if (_bins is not null)
            {
                _bins.Restore(value.Parts);
            }
            else
            {
                _stream.State = value.Parts[0];
                _document.Clear();
                _document.Tokens.AddRange(value.Rest);
                _document.Weights.AddRange(value.RestWeights);
                _next = 0;
                _restBytes = value.Parts[1].Position;
            }

            Rows = value.Position;
        }
    }

    /// <summary>The stream that the rows come from.</summary>
    internal ITokenStream Stream => _stream;

    /// <summary>Replaces <paramref name="batch"/> by the next rows.</summary>
    /// <param name="batch">Receives them.</param>
    /// <param name="rows">How many.</param>
    /// <exception cref="PunaException">The stream cannot be read, or has no document with tokens.</exception>
    public void Fill(TrainingBatch batch, int rows)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        batch.Clear();
        Give(batch, rows);
    }

    /// <summary>Passes over the next rows: those of other ranks.</summary>
    /// <inheritdoc cref="Fill" path="/exception"/>
    public void Skip(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        Give(null, rows);
    }

    /// <summary>Reads the next document that has tokens.</summary>
    internal void NextDocument(TokenDocument document)
    {
        for (int i = 0; i < MostEmptyDocuments; i++)
        {
            _stream.Next(document);
            if (document.Tokens.Count > 0)
            {
                return;
            }
        }

        throw new PunaException($"stream {_stream.State.Source}: expected a document with tokens, got {MostEmptyDocuments} empty ones in a row");
    }

    private void Give(TrainingBatch? batch, int rows)
    {
        for (int i = 0; i < rows; i++)
        {
            if (_bins is not null)
            {
                _bins.NextRow(batch);
            }
            else
            {
                SplitRow(batch);
            }

            Rows++;
        }
    }

    private void SplitRow(TrainingBatch? batch)
    {
        for (int room = _rowTokens; room > 0;)
        {
            int rest = _document.Tokens.Count - _next;
            if (rest == 0)
            {
                NextDocument(_document);
                _next = 0;
                _restBytes = _document.TextBytes;
                rest = _document.Tokens.Count;
            }

            int take = Math.Min(rest, room);

            // A piece has its share of the document's bytes; the shares add up exactly.
            long bytes = (long)((Int128)_restBytes * take / rest);
            if (batch is not null)
            {
                batch.Add(CollectionsMarshal.AsSpan(_document.Tokens).Slice(_next, take), CollectionsMarshal.AsSpan(_document.Weights).Slice(_next, take));
                batch.TextBytes += bytes;
            }

            _restBytes -= bytes;
            _next += take;
            room -= take;
        }
    }
}
