using System.Text.Encodings.Web;
using System.Text.Json;
using Puna.Runtime.Serving;
using Puna.Server.Http;
using Puna.Tensors;

namespace Puna.Server.Batches;

/// <summary>
/// Requests in a file, in the form of OpenAI's batches, answered into another: many of them under way at once, each answered as the endpoint it names would answer it over HTTP, whatever else is
/// under way. A line that is wrong gets an error and stops nothing. Whatever has an answer in the output already is passed over, so a run that was broken off is simply begun again.
/// </summary>
public sealed class OfflineBatch
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly Stream _input;
    private readonly BatchJournal _output;
    private readonly BatchOptions _options;
    private readonly Lock _writing = new();
    private long _answered, _failed;

    private OfflineBatch(Stream input, BatchJournal output, BatchOptions options, long requests) => (_input, _output, _options, Requests) = (input, output, options, requests);

    /// <summary>Lines of the input, empty ones aside.</summary>
    public long Requests { get; }

    /// <summary>Lines that have no answer yet.</summary>
    public long Missing => Requests - Progress.Done;

    /// <summary>How far it has come.</summary>
    public BatchProgress Progress => new(Requests, _output.Done.Count, _answered, _failed);

    /// <summary>Reads the input once, to know how much there is to do and that it can be done. Its requests are not kept in memory.</summary>
    /// <param name="input">The requests; it can seek, and stays open as long as the batch.</param>
    /// <param name="name">What to call it.</param>
    /// <param name="output">Where the answers go; stays open as long as the batch.</param>
    /// <param name="options">How.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="PunaException">Two lines have one custom_id, or the output has answers to something else.</exception>
    public static OfflineBatch Open(Stream input, string name, BatchJournal output, BatchOptions? options = null, CancellationToken cancel = default)
    {
        options ??= new BatchOptions();
        var keys = new HashSet<UInt128>();
        long kept = 0;
        foreach (BatchRequest request in Read(input, options))
        {
            cancel.ThrowIfCancellationRequested();
            if (!keys.Add(request.Key))
            {
                throw new FileFormatException(name, $"line {request.Line}: expected a custom_id of its own, got {request.CustomId} again");
            }

            kept += output.Done.Contains(request.Key) ? 1 : 0;
        }

        return kept == output.Done.Count
            ? new OfflineBatch(input, output, options, keys.Count)
            : throw new PunaException($"output {output.Name}: expected answers to lines of {name}, got {output.Done.Count - kept} to others");
    }

    /// <summary>Answers every line that has no answer yet. Run once.</summary>
    /// <param name="model">Answers; its engine should let requests wait as long as it takes.</param>
    /// <param name="progress">Told after every line; may be null.</param>
    /// <param name="cancel">Gives up what is under way. The answers that came before are in the output.</param>
    /// <exception cref="OperationCanceledException">Given up.</exception>
    /// <exception cref="IOException">The output cannot be written.</exception>
    /// <exception cref="EngineFaultException">The engine has ended.</exception>
    public async Task<BatchProgress> RunAsync(ServedModel model, Action<BatchProgress>? progress = null, CancellationToken cancel = default)
    {
        await using var endpoints = new BatchEndpoints(model);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var room = new SemaphoreSlim(_options.InFlight);
        var tasks = new HashSet<Task>();
        Exception? error = null;
        try
        {
            foreach (BatchRequest request in Read(_input, _options))
            {
                if (_output.Done.Contains(request.Key))
                {
                    continue;
                }

                await room.WaitAsync(stop.Token).ConfigureAwait(false);
                tasks.RemoveWhere(static t => t.IsCompleted);
                tasks.Add(Task.Run(() => OneAsync(request), CancellationToken.None));
            }
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref error, e, null);
            await stop.CancelAsync().ConfigureAwait(false);
        }

        await Task.WhenAll(tasks).ConfigureAwait(false);
        cancel.ThrowIfCancellationRequested();
        return error is null ? Progress : throw error;

        async Task OneAsync(BatchRequest request)
        {
            try
            {
                (byte[] line, bool isAnswered) = await AnswerAsync(endpoints, model, request, stop.Token).ConfigureAwait(false);
                lock (_writing)
                {
                    stop.Token.ThrowIfCancellationRequested();
                    _output.Add(line);
                    (_answered, _failed) = isAnswered ? (_answered + 1, _failed) : (_answered, _failed + 1);
                    progress?.Invoke(Progress);
                }
            }
            catch (Exception e)
            {
                // The first thing to go wrong stops the others, which then say so too.
                Interlocked.CompareExchange(ref error, e, null);
                await stop.CancelAsync().ConfigureAwait(false);
            }
            finally
            {
                room.Release();
            }
        }
    }

    private static IEnumerable<BatchRequest> Read(Stream input, BatchOptions options)
    {
        input.Position = 0;
        var lines = new ByteLines(input, options.MaxLineBytes);
        while (lines.Read(out ReadOnlyMemory<byte> line))
        {
            if (lines.IsTooLong || !line.Span.Trim(" \t"u8).IsEmpty)
            {
                yield return BatchRequest.Read(lines.Number, line, lines.IsTooLong, options.MaxLineBytes, BatchEndpoints.Urls);
            }
        }
    }

    private static async Task<(byte[] Line, bool IsAnswered)> AnswerAsync(BatchEndpoints endpoints, ServedModel model, BatchRequest request, CancellationToken cancel)
    {
        (int status, string id, byte[] body) = request.Error is null ? await endpoints.AskAsync(request.Url, request.Body, cancel).ConfigureAwait(false) : (0, "", []);
        if (model.Engine.IsDraining)
        {
            throw new EngineFaultException("engine: expected a running one, got one that has ended");
        }

        using var memory = new MemoryStream();
        using (var writer = new Utf8JsonWriter(memory, Writing))
        {
            writer.WriteStartObject();
            writer.WriteString("id", Ids.New("batch_req_"));
            writer.WriteString("custom_id", request.CustomId);
            if (request.Error is { } error)
            {
                writer.WriteNull("response");
                writer.WriteStartObject("error");
                writer.WriteString("code", error.Code);
                writer.WriteString("message", error.Message);
                writer.WriteString("param", error.Param);
                writer.WriteNumber("line", request.Line);
                writer.WriteEndObject();
            }
            else
            {
                writer.WriteStartObject("response");
                writer.WriteNumber("status_code", status);
                writer.WriteString("request_id", id);
                writer.WritePropertyName("body");
                writer.WriteRawValue(body, skipInputValidation: true);
                writer.WriteEndObject();
                writer.WriteNull("error");
            }

            writer.WriteEndObject();
        }

        memory.WriteByte((byte)'\n');
        return (memory.ToArray(), status == 200);
    }
}
