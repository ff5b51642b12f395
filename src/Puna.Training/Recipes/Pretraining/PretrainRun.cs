using System.Diagnostics;
using System.Globalization;
using Puna.Models;
using Puna.Runtime.Generation;
using Puna.Tensors;
using Puna.Training.Checkpoints;
using Puna.Training.Core;
using Puna.Training.Data;
using Puna.Training.Exams;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>One run: steps, validation, checkpoints, samples, and at the end a model with its log, plot and card.</summary>
internal sealed class PretrainRun : IDisposable
{
    private readonly PretrainSetup _setup;
    private readonly PretrainConfig _config;
    private readonly CpuOps _ops;
    private readonly string _output;
    private readonly TrainingCheckpoints _checkpoints;
    private readonly IRecipeReport _report;
    private readonly Trainer _trainer;
    private readonly TrainingData _data;
    private readonly LlamaConfig _first;
    private readonly LineLog<LogEntry> _log;
    private readonly LineLog<SampleEntry> _samples;
    private readonly List<LogEntry> _entries = [];
    private readonly List<SampleEntry> _texts = [];
    private readonly List<TrainingBatch> _batches;
    private readonly RunSpeed _speed;
    private string? _checkpoint;
    private long _saved;
    private long _step;
    private long _tokens;

    /// <summary>Prepares a run.</summary>
    /// <param name="setup">Config, data, tokenizer.</param>
    /// <param name="ops">The device.</param>
    /// <param name="output">Folder of the results.</param>
    /// <param name="checkpoints">Its checkpoints.</param>
    /// <param name="latest">The one to go on from, or null.</param>
    /// <param name="report">Told how far it is.</param>
    public PretrainRun(PretrainSetup setup, CpuOps ops, string output, TrainingCheckpoints checkpoints, string? latest, IRecipeReport report)
    {
        (_setup, _config, _ops, _output, _checkpoints, _report) = (setup, setup.Config, ops, output, checkpoints, report);
        TrainerState? state = latest is null ? null : TrainingCheckpoints.ReadState(latest);
        TrainableModel model = latest is null ? setup.CreateModel() : TrainingCheckpoints.ReadModel(latest);

        // Of a checkpoint it is that of its stage. The stages begun by then say of it what they said before.
        _first = model.Config;
        if (model.Config.Vocab < setup.Tokenizer.VocabularySize)
        {
            throw new PunaException($"vocabulary: expected at least the tokenizer's {setup.Tokenizer.VocabularySize}, got a model with {model.Config.Vocab}");
        }

        PretrainChecks.Require(setup, _config, _first, state?.Step ?? 0);
        PretrainChecks.RequireHeldOut(setup);
        _trainer = new Trainer(ops, model, _config.Optimizer, _config.Clip, _config.ActivationCheckpoints, experts: _config.Experts);
        _data = new TrainingData(_config, setup.Sources, setup.Tokenizer);
        if (state is not null)
        {
            TrainingCheckpoints.ReadMoments(latest!, _trainer);
            (_step, _tokens) = (state.Step, state.Tokens);
            (_checkpoint, _saved) = (latest, _step);
            _trainer.Restore(state.Updates, state.Skipped);
            _data.Resize(setup.RowTokensAt(Math.Max(0, _step - 1)));
            _data.State = state.Data;
        }

        Directory.CreateDirectory(output);
        _log = LineLog<LogEntry>.Open(Path.Combine(output, TrainingCheckpoints.Log), LogJson.Default.LogEntry, e => e.Step == _entries.Count + 1 && e.Step <= _step, _entries);
        _samples = OpenSamples(Path.Combine(output, "samples.jsonl"));
        _batches = [.. Enumerable.Range(0, _config.BatchRows / _config.MicroBatch).Select(static _ => new TrainingBatch())];
        _speed = new RunSpeed(ops, Path.Combine(output, "speed.csv"), _step);
    }

    /// <summary>Trains to the last step, or until it is stopped; a checkpoint is written first then.</summary>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public void Train(CancellationToken stop)
    {
        // The run was killed after a checkpoint, before its samples were there.
        if (_checkpoint is not null && IsSampled(_step) && _texts.All(e => e.Step < _step))
        {
            Sample(_checkpoint);
        }

        while (_step < _config.Steps)
        {
            if (stop.IsCancellationRequested)
            {
                if (_checkpoint is null || _saved != _step)
                {
                    Save();
                }

                stop.ThrowIfCancellationRequested();
            }

            Stage();
            double rate = _config.Schedule.At(_step);
            long start = Stopwatch.GetTimestamp();
            _data.Fill(_batches);
            StepResult result = _trainer.Step(_batches, rate);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            _step++;
            _tokens += result.Tokens;
            bool last = _step == _config.Steps;
            (double Loss, double? Bits)? validation = last || (_config.ValidateEvery > 0 && _step % _config.ValidateEvery == 0) ? Validate() : null;
            var entry = new LogEntry(_step, result.Loss, result.GradientNorm, rate, _tokens, result.Updated ? null : false, validation?.Loss, validation?.Bits,
                _config.Experts is { HasLoss: true } ? result.ExpertLoss : null, _config.Experts?.Capacity is null ? null : result.DroppedRows).Finite();
            _entries.Add(entry);
            _log.Add(entry);
            _speed.Add(_step, result.Tokens, _batches.Sum(b => FlopCount.Training(_trainer.Model.Config, b.Batch)), seconds);
            Tell(entry);
            if (last || _step % _config.CheckpointEvery == 0)
            {
                Save();
                if (IsSampled(_step))
                {
                    Sample(_checkpoint!);
                }
            }
        }
    }

    /// <summary>Puts the model, the plot and the card beside the log.</summary>
    /// <param name="stop">Ends an exam.</param>
    /// <returns>A few lines about the run.</returns>
    public string Finish(CancellationToken stop)
    {
        string path = _checkpoint ?? throw new PunaException($"folder {_output}: expected a checkpoint, got none");
        string? exported = null;
        if (_config.Export is string type)
        {
            exported = Path.Combine(_output, _config.Name + ".gguf");
            RunResults.Export(path, exported, _config.Name, type, _ops.Threads);
        }

        AltiplanoExamResult? exam = null;
        if (_config.Exam is ExamSection section)
        {
            // What is examined is what is shipped.
            using LanguageModel model = LanguageModel.Open(exported ?? path, map: false, _ops);
            exam = AltiplanoExam.Run(model, _ops, _config.Seed, section.Questions, section.Stories, (done, all) => _report.Progress("exam", done, all), stop);
        }

        var summary = new RunSummary(_setup, _trainer.Model.Config, _entries, _texts, _speed.Summary(), exported is null ? null : new FileInfo(exported).Length, exam);
        RunResults.Write(_output, path, _config.Name, _entries, summary.Card());
        return summary.Text();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _trainer.Dispose();
        _log.Dispose();
        _samples.Dispose();
        _speed.Dispose();
    }

    /// <summary>Opens the log of samples. Where those of the last step are not all there, none of them stays.</summary>
    private LineLog<SampleEntry> OpenSamples(string path)
    {
        LineLog<SampleEntry> Open(long most)
        {
            _texts.Clear();
            return LineLog<SampleEntry>.Open(path, LogJson.Default.SampleEntry, e => e.Step <= most, _texts);
        }

        LineLog<SampleEntry> log = Open(_step);
        if (!IsSampled(_step) || _texts.Count(e => e.Step == _step) == _config.SamplePrompts.Count)
        {
            return log;
        }

        log.Dispose();
        return Open(_step - 1);
    }

    private bool IsSampled(long step) => _config.SampleEvery > 0 && _config.SamplePrompts.Count > 0 && step > 0 && (step == _config.Steps || step % _config.SampleEvery == 0);

    private void Save()
    {
        // A checkpoint goes on with the log that it was written behind.
        _log.Sync();
        var state = new TrainerState(_step, _trainer.Optimizer.Steps, _trainer.Skipped, _tokens, _data.State, _setup.Identity);
        _checkpoint = _checkpoints.Save(_trainer, state, _setup.Companions, _config.KeepCheckpoints);
        _saved = _step;
    }

    private void Stage()
    {
        LlamaConfig config = _setup.ConfigAt(_first, _step);
        if (config.ContextLength != _trainer.Model.Config.ContextLength || config.RopeTheta != _trainer.Model.Config.RopeTheta)
        {
            _trainer.Change(_trainer.Model.Config with { ContextLength = config.ContextLength, RopeTheta = config.RopeTheta });
        }

        _data.Resize(_setup.RowTokensAt(_step));
    }

    private (double Loss, double? BitsPerByte)? Validate()
    {
        if (_config.ValidationRows == 0)
        {
            return null;
        }

        double sum = 0, weight = 0;
        long bytes = 0;
        foreach (TrainingBatch batch in _data.Validation())
        {
            sum += _trainer.Evaluate(batch);
            weight += batch.WeightSum;
            bytes += batch.TextBytes;
        }

        return weight == 0 ? null : (sum / weight, bytes > 0 ? sum / (Math.Log(2) * bytes) : null);
    }

    private void Sample(string path)
    {
        foreach (SampleEntry sample in CheckpointSampler.Continue(_ops, path, _config.SamplePrompts, _step))
        {
            _texts.Add(sample);
            _samples.Add(sample);
            _report.Line($"{sample.Prompt}{sample.Text}");
        }
    }

    private void Tell(LogEntry entry)
    {
        if (entry.ValidationLoss is double validation)
        {
            _report.Line(string.Create(CultureInfo.InvariantCulture, $"step {entry.Step}: loss {LogEntry.Text(entry.Loss, "F3")}, held-out {validation:F3}"));
        }

        _report.Progress(string.Create(CultureInfo.InvariantCulture, $"loss {LogEntry.Text(entry.Loss, "F3")}, {_speed.Describe(_config.Steps - _step)}"), _step, _config.Steps);
    }
}
