using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Puna.Server.Operations;

/// <summary>
/// Traces and metrics by OpenTelemetry's conventions for generative AI (spec serving.md 7.7): nothing is done where nobody listens, and what is said in conversations is recorded only where that was asked for. Sending
/// them is the business of <see cref="TelemetryExport"/>.
/// </summary>
internal sealed class ServerTelemetry : IDisposable
{
    /// <summary>Name of the source of traces and of the meter.</summary>
    public const string Name = "Puna.Server";

    /// <summary>What <c>gen_ai.provider.name</c> says.</summary>
    public const string Provider = "puna";

    private static readonly ActivitySource Activities = new(Name);

    private readonly Meter _meter;
    private readonly Histogram<double> _duration, _first, _perToken;

    public ServerTelemetry(IMeterFactory meters, bool capturesContent = false)
    {
        CapturesContent = capturesContent;
        _meter = meters.Create(Name);
        _duration = Seconds("gen_ai.server.request.duration", "From the arrival of a request to its end.", [.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]);
        _first = Seconds("gen_ai.server.time_to_first_token", "From the arrival of a request to its first token.", [.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10]);
        _perToken = Seconds("gen_ai.server.time_per_output_token", "Between two tokens of a request, its mean.", [.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5]);
    }

    /// <summary>Whether what is said is recorded.</summary>
    public bool CapturesContent { get; }

    /// <summary>Begins an operation; ends with <see cref="TelemetrySpan.End"/>.</summary>
    /// <param name="operation"><c>chat</c>, <c>text_completion</c> or <c>embeddings</c>.</param>
    /// <param name="model">The name that was asked for.</param>
    /// <param name="served">The name of the model that answers.</param>
    public TelemetrySpan Begin(string operation, string model, string served)
    {
        Activity? activity = Activities.StartActivity($"{operation} {model}", ActivityKind.Internal);
        activity?.SetTag("gen_ai.operation.name", operation).SetTag("gen_ai.provider.name", Provider).SetTag("gen_ai.request.model", model).SetTag("gen_ai.response.model", served);
        return new TelemetrySpan(this, activity, operation, model, served);
    }

    /// <summary>A part of an operation that is over.</summary>
    internal static void Part(Activity parent, string name, DateTime start, TimeSpan duration)
    {
        using Activity? part = Activities.StartActivity(name, ActivityKind.Internal, parent.Context, startTime: start);
        part?.SetEndTime(start + duration);
    }

    internal void Measure(in TagList tags, TimeSpan duration, TimeSpan? first, TimeSpan? perToken)
    {
        _duration.Record(duration.TotalSeconds, tags);
        if (first is { } f)
        {
            _first.Record(f.TotalSeconds, tags);
        }

        if (perToken is { } p)
        {
            _perToken.Record(p.TotalSeconds, tags);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private Histogram<double> Seconds(string name, string description, double[] bounds) =>
        _meter.CreateHistogram(name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });
}
