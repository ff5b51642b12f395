using System.Text;
using Puna.Tensors;

namespace Puna.Formats;

/// <summary>
/// Writes a checkpoint without holding it in memory: every tensor is declared first, then the bytes of each are written in that order, in as many pieces as
/// the caller likes. Nothing is visible under the final names before <see cref="Complete"/>; <see cref="Dispose()"/> without it deletes what was written.
/// </summary>
/// <example>
/// <code>
/// using TensorWriter writer = new SafetensorsWriter("model.safetensors");
/// writer.Declare("norm.weight", DType.F32, new Shape(64));
/// writer.Begin();
/// writer.Write(bytes);
/// writer.Complete();
/// </code>
/// </example>
public abstract class TensorWriter : IDisposable
{
    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly List<TensorSpec> _tensors = [];
    private readonly List<(string Path, ReadOnlyMemory<byte> Content, bool MakeFolder)> _attached = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private State _state = State.Declaring;
    private int _current;
    private bool _open;
    private long _left;

    /// <summary>Creates a writer; no file is touched before <see cref="Begin"/>.</summary>
    /// <param name="path">Where the result will be.</param>
    protected TensorWriter(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Path = path;
    }

    private enum State
    {
        Declaring,
        Writing,
        Broken,
        Completed,
        Disposed,
    }

    /// <summary>Path given to the constructor; formats that split a checkpoint derive the names of their parts from it.</summary>
    public string Path { get; }

    /// <summary>The declared tensors, in order.</summary>
    public IReadOnlyList<TensorSpec> Tensors => _tensors;

    /// <summary>The tensor whose bytes are expected next, or null before <see cref="Begin"/> and when all have been written.</summary>
    public TensorSpec? Current => _state == State.Writing && _current < _tensors.Count ? _tensors[_current] : null;

    /// <summary>Announces a tensor; only before <see cref="Begin"/>.</summary>
    /// <param name="name">Name in the file, unique.</param>
    /// <param name="dtype">Type of its values.</param>
    /// <param name="shape">Sizes, outermost first.</param>
    /// <exception cref="PunaException">The name occurs twice or is not valid Unicode, the shape is no whole number of blocks, or the format cannot hold such
    /// a tensor.</exception>
    public void Declare(string name, DType dtype, Shape shape)
    {
        Require(State.Declaring);
        ArgumentNullException.ThrowIfNull(name);
        TensorSpec tensor;
        try
        {
            _ = _strict.GetByteCount(name);
            tensor = new TensorSpec(name, dtype, shape, shape.Count == 0 ? 0 : checked(shape.Rows * dtype.RowBytes(shape.Columns)));
        }
        catch (EncoderFallbackException e)
        {
            throw new PunaException($"tensor {name}: expected a name of valid Unicode ({Path})", e);
        }
        catch (PunaException e)
        {
            throw new PunaException($"tensor {name}: {e.Message} ({Path})", e);
        }
        catch (OverflowException e)
        {
            throw new PunaException($"tensor {name}: expected at most 2^63 bytes, got {dtype.Name()} {shape} ({Path})", e);
        }

        Check(tensor);
        if (!_names.Add(name))
        {
            throw new PunaException($"tensor {name}: expected a name that occurs once ({Path})");
        }

        _tensors.Add(tensor);
    }

    /// <summary>Announces a small file that belongs to the checkpoint (settings, vocabulary) and appears together with it or not at all; only before
    /// <see cref="Begin"/>.</summary>
    /// <param name="path">Where it will be, in a folder that exists or that the writer makes.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="makeFolder">Whether its folder is made where there is none.</param>
    public void Attach(string path, ReadOnlyMemory<byte> content, bool makeFolder = false)
    {
        Require(State.Declaring);
        ArgumentException.ThrowIfNullOrEmpty(path);
        _attached.Add((path, content, makeFolder));
    }

    /// <summary>Ends the declarations, creates the (temporary) files and writes what precedes the data.</summary>
    /// <exception cref="PunaException">A file cannot be created.</exception>
    public void Begin()
    {
        Require(State.Declaring);
        _state = State.Broken; // until the step has succeeded: no file may come from a failed one
        BeginCore();
        _state = State.Writing;
        Advance();
    }

    /// <summary>Writes the next bytes of the <see cref="Current"/> tensor; may end it, may not reach into the next one.</summary>
    /// <param name="bytes">Little-endian values in row order.</param>
    /// <exception cref="InvalidOperationException">More bytes than the tensor has left, or no tensor is left.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        Require(State.Writing);
        if (bytes.IsEmpty)
        {
            return;
        }

        if (bytes.Length > _left)
        {
            throw new InvalidOperationException(Current is { } tensor
                ? $"tensor {tensor.Name}: expected {_left} more bytes, got {bytes.Length}"
                : $"all tensors are written, got {bytes.Length} more bytes");
        }

        _state = State.Broken;
        WriteCore(bytes);
        _left -= bytes.Length;
        _state = State.Writing;
        Advance();
    }

    /// <summary>Writes all of the <see cref="Current"/> tensor, row by row.</summary>
    /// <param name="tensor">Values; its type must be the declared one and its bytes as many.</param>
    /// <exception cref="InvalidOperationException">Another type or size than declared, or part of the tensor has been written already.</exception>
    public void WriteTensor(Tensor tensor)
    {
        TensorSpec? expected = Current;
        if (tensor.Shape.Count == 0)
        {
            return; // no bytes to wait for: it was passed over when its turn came
        }

        if (expected is null || expected.DType != tensor.DType || expected.Shape.Count != tensor.Shape.Count || _left != expected.ByteLength)
        {
            throw new InvalidOperationException($"expected all of {expected?.Name ?? "no tensor"} {expected?.DType.Name()} {expected?.Shape}, got {tensor.DType.Name()} {tensor.Shape}");
        }

        if (tensor.IsContiguous)
        {
            const int Piece = 1 << 20;
            long length = tensor.ByteLength;
            for (long at = 0; at < length; at += Piece)
            {
                Write(tensor.Storage.Span<byte>(checked(tensor.Offset + (nint)at), (int)Math.Min(Piece, length - at)));
            }
        }
        else
        {
            for (long row = 0; row < tensor.Rows; row++)
            {
                Write(tensor.Row<byte>(row));
            }
        }

        GC.KeepAlive(tensor.Storage);
    }

    /// <summary>Checks that every byte was written and puts the files into place.</summary>
    /// <exception cref="InvalidOperationException">Bytes are missing.</exception>
    /// <exception cref="PunaException">A file cannot be put into place.</exception>
    public void Complete()
    {
        Require(State.Writing);
        if (Current is { } tensor)
        {
            throw new InvalidOperationException($"tensor {tensor.Name}: expected {_left} more bytes before the file is complete");
        }

        _state = State.Broken;
        CompleteCore();
        _state = State.Completed;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _state = State.Disposed;
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Refuses a tensor that the format cannot hold (type, rank, name), with a <see cref="PunaException"/> that names it. Called by
    /// <see cref="Declare"/>.</summary>
    protected abstract void Check(TensorSpec tensor);

    /// <summary>Lays out the files of <see cref="Tensors"/> and creates them.</summary>
    protected abstract void BeginCore();

    /// <summary>The data of tensor <paramref name="index"/> follows (an empty one, too): pad, seek, or go on to the next file.</summary>
    protected abstract void BeginTensor(int index);

    /// <summary>Writes bytes of the tensor begun last; never more than it has left.</summary>
    protected abstract void WriteCore(ReadOnlySpan<byte> bytes);

    /// <summary>All bytes of tensor <paramref name="index"/> have been written.</summary>
    protected virtual void EndTensor(int index)
    {
    }

    /// <summary>Everything is written: finish the files and rename them into place (<see cref="StagedFiles.Commit"/>).</summary>
    protected abstract void CompleteCore();

    /// <summary>Closes the files, and deletes them unless <see cref="CompleteCore"/> succeeded (<see cref="StagedFiles.Dispose"/>). Called once or
    /// more.</summary>
    protected abstract void Dispose(bool disposing);

    /// <summary>Writes the files of <see cref="Attach"/>; called by <see cref="BeginCore"/>, so that one that cannot be written is known before the long work.</summary>
    protected void StageAttached(StagedFiles files)
    {
        foreach ((string path, ReadOnlyMemory<byte> content, bool makeFolder) in _attached)
        {
            if (makeFolder && System.IO.Path.GetDirectoryName(path) is { Length: > 0 } folder)
            {
                files.MakeFolder(folder);
            }

            using FileStream stream = files.Create(path);
            stream.Write(content.Span);
        }
    }

    /// <summary>Ends tensors that have no bytes left and begins the next that has.</summary>
    private void Advance()
    {
        while (_left == 0 && _current < _tensors.Count)
        {
            _state = State.Broken;
            if (_open)
            {
                EndTensor(_current);
                _open = false;
                _current++;
            }

            if (_current < _tensors.Count)
            {
                BeginTensor(_current);
                _open = true;
                _left = _tensors[_current].ByteLength;
            }

            _state = State.Writing;
        }
    }

    private void Require(State state)
    {
        ObjectDisposedException.ThrowIf(_state == State.Disposed, this);
        if (_state != state)
        {
            throw new InvalidOperationException(_state switch
            {
                State.Declaring => "tensors are still being declared: call Begin first",
                State.Broken => "writing failed earlier: dispose this writer",
                State.Completed => "the file is complete",
                _ => "data is being written already",
            });
        }
    }
}
