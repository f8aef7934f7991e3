// A model in an ASP.NET Core application of your own: at an address, and in a handler that asks it.
//   dotnet run --project samples/WebApi -- --model runs/pets
//   curl --data-binary @photo.jpg http://localhost:5000/models/pets
//   curl --data-binary @photo.jpg http://localhost:5000/name
using Vizsla.Inference;
using Vizsla.Serving;
using Vizsla.Studio;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddVizsla("pets", builder.Configuration["model"] ?? "runs/pets");

var app = builder.Build();
app.MapVizsla("/models");
app.MapPost("/name", async (IImageClassifier pets, HttpRequest request) => (await pets.PredictAsync(request.Body, topK: 1, request.HttpContext.RequestAborted))[0].Label);
app.Run();
