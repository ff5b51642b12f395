using System.Diagnostics;
using System.Globalization;
using Puna.Tensors;
using Puna.Training.Checkpoints;
using Puna.Training.Core;
using Puna.Training.Data;
using Puna.Training.Exams;
using Puna.Training.Recipes.Pretraining;

namespace Puna.Training.Recipes.Vision;

/// <summary>One run: steps, looks at held-out pictures, checkpoints, and at the end a model with its exam, log, plot and card.</summary>
internal sealed class VisionRun : IDisposable
{
    private readonly VisionSetup _setup;
    private readonly VisionConfig _config;
    private readonly CpuOps _ops;
    private readonly string _output;
    private readonly TrainingCheckpoints _checkpoints;
    private readonly IRecipeReport _report;
    private readonly LineLog<LogEntry> _log;
    private readonly List<LogEntry> _entries = [];
    private readonly TrainingBatch _batch = new();
    private readonly RunSpeed _speed;
    private Trainer _trainer;
    private string? _checkpoint;
    private long _saved;
    private long _step;
    private long _tokens;

    /// <summary>Prepares a run.</summary>
    /// <param name="setup">Config, tokenizer, pictures.</param>
    /// <param name="ops">The device.</param>
    /// <param name="output">Folder of the results.</param>
    /// <param name="checkpoints">Its checkpoints.</param>
    /// <param name="latest">The one to go on from, or null.</param>
    /// <param name="report">Told how far it is.</param>
    public VisionRun(VisionSetup setup, CpuOps ops, string output, TrainingCheckpoints checkpoints, string? latest, IRecipeReport report)
    {
        (_setup, _config, _ops, _output, _checkpoints, _report) = (setup, setup.Config, ops, output, checkpoints, report);
        TrainerState? state = latest is null ? null : TrainingCheckpoints.ReadState(latest);
        TrainableModel model = latest is null ? setup.CreateModel() : TrainingCheckpoints.ReadModel(latest);
        _step = state?.Step ?? 0;
        if (state is null)
        {
            _trainer = CreateTrainer(model, 0);
        }
        else
        {
            // Moments are those of the stage that the checkpoint ends.
            _trainer = CreateTrainer(model, Math.Max(0, _step - 1));
            TrainingCheckpoints.ReadMoments(latest!, _trainer);
            (_checkpoint, _saved, _tokens) = (latest, _step, state.Tokens);
            _trainer.Restore(state.Updates, state.Skipped);
        }

        Directory.CreateDirectory(output);
        _log = LineLog<LogEntry>.Open(Path.Combine(output, TrainingCheckpoints.Log), LogJson.Default.LogEntry, e => e.Step == _entries.Count + 1 && e.Step <= _step, _entries);
        _speed = new RunSpeed(ops, Path.Combine(output, "speed.csv"), _step);
    }

    /// <summary>Trains to the last step, or until it is stopped; a checkpoint is written first then.</summary>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public void Train(CancellationToken stop)
    {
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
            double rate = _config.RateAt(_step);
            long start = Stopwatch.GetTimestamp();
            _setup.Data.Fill(_batch, _step, _config.IsText(_step));
            StepResult result = _trainer.Step([_batch], rate);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            _step++;
            _tokens += result.Tokens;
            bool last = _step == _config.Steps;
            double? right = last || (_config.ValidateEvery > 0 && _step % _config.ValidateEvery == 0) ? Right() : null;
            var entry = new LogEntry(_step, result.Loss, result.GradientNorm, rate, _tokens, result.Updated ? null : false, null, null, CaptionsRight: right).Finite();
            _entries.Add(entry);
            _log.Add(entry);
            _speed.Add(_step, result.Tokens, FlopCount.Training(_trainer.Model.Config, _batch.Batch), seconds);
            Tell(entry);
            if (last || _step % _config.CheckpointEvery == 0)
            {
                Save();
            }
        }
    }

    /// <summary>Examines the model of the last checkpoint, and puts it, the plot and the card beside the log.</summary>
    /// <param name="stop">Ends the exam.</param>
    /// <returns>A few lines about the run.</returns>
    public string Finish(CancellationToken stop)
    {
        string path = _checkpoint ?? throw new PunaException($"folder {_output}: expected a checkpoint, got none");

        // What is examined is what is shipped.
        TrainableModel model = TrainingCheckpoints.ReadModel(path);
        CaptionExamResult exam = new CaptionExam(model, _ops, _setup.Tokenizer, _setup.Data).Run(_config.ExamPictures, (done, all) => _report.Progress("exam", done, all), stop);
        var summary = new VisionSummary(_config, model, _entries, exam);
        RunResults.Write(_output, path, _config.Name, _entries, summary.Card(), new Dictionary<string, byte[]> { ["exam.json"] = exam.ToJson() });
        return summary.Text();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _trainer.Dispose();
        _log.Dispose();
        _speed.Dispose();
    }

    private Trainer CreateTrainer(TrainableModel model, long step) => new(_ops, _setup.At(model, step), _config.Optimizer, _config.Clip);

    /// <summary>Where the text model is done, what sees gets an optimiser of its own.</summary>
    private void Stage()
    {
        if (_step == _config.TextSteps && _step > 0)
        {
            int skipped = _trainer.Skipped;
            TrainableModel model = _trainer.Model;
            _trainer.Dispose();
            _trainer = CreateTrainer(model, _step);
            _trainer.Restore(0, skipped);
        }
    }

    private void Save()
    {
        _log.Sync();
        var state = new TrainerState(_step, _trainer.Optimizer.Steps, _trainer.Skipped, _tokens, StreamState.Plain("pictures", _step * _config.BatchRows), _setup.Identity);
        _checkpoint = _checkpoints.Save(_trainer, state, _setup.Companions, _config.KeepCheckpoints);
        _saved = _step;
    }

    private double Right()
    {
        CaptionMarks marks = new CaptionExam(_trainer.Model, _ops, _setup.Tokenizer, _setup.Data).Run(_config.ValidationPictures).Marks;
        return (marks.Objects + marks.Colours) / (2.0 * marks.Things);
    }

    private void Tell(LogEntry entry)
    {
        if (entry.CaptionsRight is double right)
        {
            _report.Line(string.Create(CultureInfo.InvariantCulture, $"step {entry.Step}: loss {LogEntry.Text(entry.Loss, "F3")}, {right:P0} of objects and colours right"));
        }

        _report.Progress(string.Create(CultureInfo.InvariantCulture, $"loss {LogEntry.Text(entry.Loss, "F3")}, {_speed.Describe(_config.Steps - _step)}"), _step, _config.Steps);
    }
}
